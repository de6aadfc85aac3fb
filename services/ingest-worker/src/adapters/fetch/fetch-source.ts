import { request as httpRequest, type Agent, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { ManuelError } from '@manuel/contracts';
import { displayFilename } from '@manuel/media';
import type { Settings } from '@manuel/settings';
import { saveStream } from '../../domain/acquire-source.ts';
import type { FetchSource } from '../../domain/outside.ts';
import { checkUrl, refused } from './check-url.ts';
import { checkLiteral, createFetchAgents, type FetchPolicy, publicPolicy, refusedCode } from './fetch-agents.ts';

const redirects = new Set([301, 302, 303, 307, 308]);
/** Statuses after which the same address may well work later. */
const passing = new Set([408, 425, 429, 500, 502, 503, 504]);

/**
 * Fetches users' addresses, none of which is trusted: public servers only, each redirect judged like the first address, no
 * credentials, no cookies, no compression (a bomb's favourite), limits on bytes and on time whatever the server does.
 */
export function createFetchSource(
  settings: Pick<Settings, 'ingest'>,
  override: Partial<FetchPolicy> = {},
): FetchSource {
  const policy: FetchPolicy = { ...publicPolicy, checkUrl, ...override };
  const agents = createFetchAgents(policy);
  const { fetch_timeout_ms: timeoutMs, fetch_max_redirects: maxRedirects, max_size_mb: maxMb } = settings.ingest;

  return async (address, path, caller) => {
    const late = AbortSignal.timeout(timeoutMs);
    const signal = AbortSignal.any([caller, late]);
    try {
      const { response, url } = await follow(address, policy, agents, maxRedirects, signal);
      try {
        checkResponse(response, maxMb);
        const saved = await saveStream(response, path, maxMb, signal);
        const filename = filenameOf(response, url);
        return { ...saved, ...(filename === undefined ? {} : { filename }) };
      } finally {
        response.destroy();
      }
    } catch (error) {
      if (error instanceof ManuelError) throw error;
      caller.throwIfAborted();
      if (late.aborted)
        throw failed(`The server did not deliver it within ${Math.round(timeoutMs / 1000)} s.`, true, error);
      throw connectionFailure(error);
    }
  };
}

async function follow(
  address: string,
  policy: FetchPolicy,
  agents: ReturnType<typeof createFetchAgents>,
  maxRedirects: number,
  signal: AbortSignal,
): Promise<{ response: IncomingMessage; url: URL }> {
  let url = policy.checkUrl(address);
  for (let hops = 0; ; hops += 1) {
    checkLiteral(url, policy);
    const response = await open(url, agents[url.protocol === 'https:' ? 'https:' : 'http:'], signal);
    const { location } = response.headers;
    if (!redirects.has(response.statusCode ?? 0) || location === undefined) return { response, url };
    response.destroy();
    if (hops >= maxRedirects) throw failed(`It redirects more than ${maxRedirects} times.`, false);
    if (!URL.canParse(location, url.href)) throw refused('It redirects to something that is no web address.');
    url = policy.checkUrl(new URL(location, url).href);
  }
}

function open(url: URL, agent: Agent, signal: AbortSignal): Promise<IncomingMessage> {
  const request = url.protocol === 'https:' ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const headers = {
      accept: '*/*',
      'accept-encoding': 'identity',
      'user-agent': 'Manuel/1.0 (fetches a manual for its user)',
    };
    const sent = request(url, { agent, headers, signal, maxHeaderSize: 16 * 1024 }, resolve);
    sent.once('error', reject);
    sent.end();
  });
}

function checkResponse(response: IncomingMessage, maxMb: number): void {
  const status = response.statusCode ?? 0;
  if (status !== 200) throw failed(`The server answered with status ${status}.`, passing.has(status));
  const encoding = response.headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity') throw failed('The server sends it compressed although it was asked not to.', false);
  if (Number(response.headers['content-length'] ?? 0) > maxMb * 1024 * 1024) {
    throw new ManuelError(
      'payload_too_large',
      `The manual is larger than the ${maxMb} MB allowed. Split it and upload the parts.`,
    );
  }
}

/** As the server names the file (RFC 6266), else the end of the address. */
function filenameOf(response: IncomingMessage, url: URL): string | undefined {
  const disposition = response.headers['content-disposition'] ?? '';
  const extended = /filename\*=(?:utf-8|iso-8859-1)'[^']*'([^;\s]+)/i.exec(disposition)?.[1];
  const plain = /filename="([^"]+)"/i.exec(disposition)?.[1] ?? /filename=([^;\s"]+)/i.exec(disposition)?.[1];
  const name = decoded(extended) ?? plain ?? decoded(url.pathname.split('/').at(-1));
  return name === undefined || name === '' ? undefined : displayFilename(name);
}

function decoded(text: string | undefined): string | undefined {
  try {
    return text === undefined ? undefined : decodeURIComponent(text);
  } catch {
    // Not percent-encoded as it should be: shown as it stands.
    return text;
  }
}

function connectionFailure(error: unknown): ManuelError {
  const code = error instanceof Object && 'code' in error ? String(error.code) : '';
  // request-filtering-agent gives its refusals no code.
  if (
    code === refusedCode ||
    (error instanceof Object && 'message' in error && /is not allowed/.test(String(error.message)))
  ) {
    return refused('It leads into a private network.', { cause: error });
  }
  if (code === 'ENOTFOUND') return failed('There is no server of that name.', false, error);
  if (/CERT|SSL|TLS|SIGNATURE/.test(code)) return failed('The server’s certificate cannot be trusted.', false, error);
  return failed('The server could not be reached or broke off.', true, error);
}

const failed = (why: string, retryable: boolean, cause?: unknown): ManuelError =>
  new ManuelError(
    'fetch_failed',
    `The manual could not be fetched. ${why} Check the address, or download the manual and upload the file.`,
    { retryable, cause },
  );
