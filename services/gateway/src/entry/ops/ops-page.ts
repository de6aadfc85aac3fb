import type { OpsHealth } from '@manuel/contracts';
import { escapeHtml } from '../html.ts';

const page = (title: string, body: string, refresh = ''): string => `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">${refresh}
<title>${title}</title><link rel="icon" href="/icon.svg" type="image/svg+xml"><link rel="stylesheet" href="/ops.css"></head><body>${body}</body></html>
`;

/** The sign-in form; `fault` is what went wrong before. */
export function signInPage(fault?: string): string {
  const alert = fault === undefined ? '' : `<p role="alert" class="fault">${escapeHtml(fault)}</p>`;
  return page(
    'Manuel operations: sign in',
    `<main class="sign-in"><h1>Manuel operations</h1>${alert}<form method="post" action="/ops/session">
<label for="username">E-mail</label><input id="username" name="username" type="email" autocomplete="username" required autofocus>
<label for="password">Password</label><input id="password" name="password" type="password" autocomplete="current-password" required>
<button>Sign in</button></form></main>`,
  );
}

const number = (value: number | null, unit = ''): string =>
  value === null ? '–' : `${Math.round(value * 100) / 100}${unit}`;
const share = (value: number | null): string => (value === null ? '–' : `${Math.round(value * 1000) / 10}%`);

function table(caption: string, heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const head = heads.map((text) => `<th scope="col">${escapeHtml(text)}</th>`).join('');
  const body = rows.map(
    ([first = '', ...rest]) =>
      `<tr><th scope="row">${escapeHtml(first)}</th>${rest.map((text) => `<td>${escapeHtml(text)}</td>`).join('')}</tr>`,
  );
  const none = `<tr><td colspan="${heads.length}">none</td></tr>`;
  return `<table><caption>${escapeHtml(caption)}</caption><thead><tr>${head}</tr></thead><tbody>${body.join('') || none}</tbody></table>`;
}

/** The state at a glance; reloads itself every ten seconds, without script. */
export function statePage(health: OpsHealth, who: 'operator' | 'viewer'): string {
  const { performance, queues, cache, degradation, breakers, missing } = health;
  const faults = missing.map((text) => `<p role="alert" class="fault">${escapeHtml(text)}</p>`).join('');
  return page(
    `Manuel operations: ${health.overall}`,
    `<header><h1>Manuel operations</h1><p class="overall ${health.overall}">${health.overall}</p>
<nav><a href="/ops/queues">Queues</a></nav><form method="post" action="/ops/sign-out"><button>Sign out (${who})</button></form></header>
<main>${faults}${table(
      'Queues',
      ['Queue', 'Waiting', 'Active', 'Delayed', 'Failed', 'Oldest', 'State'],
      queues.map((queue) => [
        queue.name,
        String(queue.waiting),
        String(queue.active),
        String(queue.delayed),
        String(queue.failed),
        `${queue.oldest_waiting_s} s`,
        queue.paused ? 'paused' : 'running',
      ]),
    )}${table(
      'Upstreams',
      ['Breaker', 'State', 'Failures in a row'],
      breakers.map(({ name, state, consecutive_failures }) => [name, state, String(consecutive_failures)]),
    )}${table(
      'Answers',
      ['Figure', 'Value'],
      [
        ['Requests in the window', String(performance.requests)],
        ['Errors', share(performance.error_rate)],
        ['Response time, median', number(performance.p50_ms, ' ms')],
        ['Response time, 95th percentile', number(performance.p95_ms, ' ms')],
        ['Lesser answers', share(degradation.failure_rate)],
        ['Cache hits', share(cache.hit_rate)],
      ],
    )}</main>`,
    '<meta http-equiv="refresh" content="10">',
  );
}
