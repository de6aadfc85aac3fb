import { ManuelError } from '@manuel/contracts';
import type { Settings } from '@manuel/settings';
import type { Logger, Metrics } from '@manuel/telemetry';
import type { Redis } from 'ioredis';
import { classifyFailure, failureOf } from './aws-errors.ts';
import { backoffMs } from './backoff.ts';
import { redisBreakerStore } from './breaker-store.ts';
import { createBreakers, freshMs, type Pass } from './breakers.ts';
import { createBulkheads, isBulkheadFull } from './bulkheads.ts';
import { policyOf } from './policies.ts';
import { createProbes } from './probes.ts';
import { startDeadline } from './deadline.ts';
import { type Probing, type Resilience, type UpstreamCall, upstreamNames } from './types.ts';

export interface ResilienceOptions {
  readonly settings: Settings;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Shares the breakers with other replicas; without it each process decides alone. Stays open when this is closed. */
  readonly redis?: Redis;
}

type Outcome<T> = { readonly value: T } | { readonly error: ManuelError; readonly retryable: boolean };

export const breakerName = (call: Pick<UpstreamCall, 'upstream' | 'operation'>): string =>
  `${call.upstream}:${call.operation}`;

export function createResilience(options: ResilienceOptions): Resilience & Probing {
  const { settings, logger, metrics } = options;
  const breakers = createBreakers({
    limits: {
      threshold: settings.breaker.threshold,
      openMs: settings.breaker.open_ms,
      probes: settings.breaker.half_open_probes,
      trialMs: settings.pool.connect_timeout_ms + settings.pool.read_timeout_ms,
    },
    ...(options.redis ? { shared: redisBreakerStore(options.redis, settings.redis.prefix) } : {}),
    logger,
    metrics,
  });
  const bulkheads = createBulkheads({
    maxConcurrent: settings.bulkhead.max_concurrent,
    maxQueued: settings.bulkhead.max_queued,
  });
  const probes = createProbes({
    breakers,
    timing: {
      initialMs: Math.min(settings.breaker.probe_initial_ms, settings.breaker.open_ms),
      maxMs: Math.min(settings.breaker.probe_max_ms, settings.breaker.open_ms),
      limitMs: settings.pool.connect_timeout_ms,
    },
    logger,
  });

  async function settle(name: string, pass: Pass, counts: boolean): Promise<void> {
    await (counts ? breakers.failed(name, pass) : breakers.released(name, pass));
  }

  /** One try: place in the bulkhead, leave of the breaker, the work, the count. */
  async function attempt<T>(
    call: UpstreamCall,
    work: (signal: AbortSignal) => Promise<T>,
    deadline: ReturnType<typeof startDeadline>,
  ): Promise<Outcome<T>> {
    const name = breakerName(call);
    const started = performance.now();
    const observe = (outcome: string): void => {
      const labels = { upstream: call.upstream, operation: call.operation, outcome };
      metrics.time('upstream_call_seconds', 'One try of a call', (performance.now() - started) / 1000, labels);
    };
    let pass: Pass | undefined;
    try {
      const value = await deadline.race(
        bulkheads.run(
          call.upstream,
          async () => {
            pass = await breakers.admit(name);
            if (!pass) throw failureOf('not_ready', { retryAfterMs: breakers.retryAfterMs(name) });
            return await work(deadline.signal);
          },
          deadline.signal,
        ),
      );
      await breakers.succeeded(name, pass ?? 'plain');
      observe('ok');
      return { value };
    } catch (thrown) {
      if (isBulkheadFull(thrown)) {
        observe('bulkhead_full');
        return { error: failureOf('throttling', { cause: thrown, retryAfterMs: 1000 }), retryable: false };
      }
      const failure = deadline.signal.aborted ? deadline.failure() : classifyFailure(thrown);
      if (!pass) {
        const refused = thrown instanceof ManuelError;
        observe(refused ? 'breaker_open' : failure.kind);
        return { error: failure.error, retryable: false };
      }
      observe(failure.kind);
      await settle(name, pass, failure.counts);
      return { error: failure.error, retryable: failure.error.retryable && !deadline.signal.aborted };
    }
  }

  async function call<T>(request: UpstreamCall, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const policy = settings.retry[policyOf[request.upstream]];
    const maxRetries = request.maxRetries ?? policy.max_retries;
    const name = breakerName(request);
    const deadline = startDeadline(request.deadlineMs, request.signal);
    try {
      for (let retry = 0; ; retry += 1) {
        deadline.throwIfOver();
        const outcome = await attempt(request, work, deadline);
        if ('value' in outcome) return outcome.value;
        if (!outcome.retryable || retry >= maxRetries) throw outcome.error;
        const wait = Math.max(backoffMs(policy, retry + 1), outcome.error.retryAfterMs ?? 0);
        if (wait >= deadline.leftMs()) throw outcome.error;
        metrics.count('upstream_retries_total', 'Tries after the first', {
          upstream: request.upstream,
          operation: request.operation,
        });
        await deadline.sleep(wait, (wake) => {
          // No use to wait for an upstream that others found ill: the next try is refused at once.
          if (breakers.state(name) === 'open') wake();
          const off = breakers.onChange((changed, state) => {
            if (changed === name && state === 'open') wake();
          });
          const looking = setInterval(() => void breakers.refresh(), freshMs);
          return () => {
            clearInterval(looking);
            off();
          };
        });
      }
    } finally {
      deadline.clear();
    }
  }

  return {
    call,
    isOpen: (upstream, operation) => breakers.state(breakerName({ upstream, operation })) !== 'closed',
    record(upstream, operation, outcome) {
      const name = breakerName({ upstream, operation });
      const counted = outcome === 'success' ? breakers.succeeded(name, 'plain') : breakers.failed(name, 'plain');
      counted.catch((error: unknown) => logger.error('an outcome was not counted', { breaker: name, error }));
    },
    probe: (upstream, operation, work) => probes.register(breakerName({ upstream, operation }), work),
    breakers: () => breakers.list(),
    async reset(name) {
      if (!upstreamNames.some((upstream) => name.startsWith(`${upstream}:`))) return false;
      await breakers.reset(name);
      return true;
    },
    close: () => probes.close(),
  };
}
