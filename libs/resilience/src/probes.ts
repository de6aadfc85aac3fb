import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '@manuel/telemetry';
import { classifyFailure } from './aws-errors.ts';
import type { Breakers } from './breakers.ts';

/** A cheap call that tells whether an upstream is well again. */
export type ProbeWork = (signal: AbortSignal) => Promise<unknown>;

export interface ProbeTiming {
  /** Milliseconds from opening to the first probe. */
  readonly initialMs: number;
  /** Longest time between two probes, milliseconds. */
  readonly maxMs: number;
  /** Longest time one probe may take, milliseconds. */
  readonly limitMs: number;
}

const growth = 1.5;

/**
 * Looks by itself whether the upstream of an open breaker is well again, at growing intervals, so that no user's question
 * is the guinea pig and recovery is noticed within seconds. Replicas share the claim, so one of them probes at a time.
 */
export function createProbes(deps: {
  readonly breakers: Breakers;
  readonly timing: ProbeTiming;
  readonly logger: Logger;
}): { register(name: string, work: ProbeWork): () => void; close(): Promise<void> } {
  const { breakers, timing, logger } = deps;
  const works = new Map<string, ProbeWork>();
  const loops = new Map<string, Promise<void>>();
  const closing = new AbortController();

  async function probeOnce(name: string, work: ProbeWork): Promise<void> {
    const pass = await breakers.admit(name, true);
    if (!pass) return;
    const limit = new AbortController();
    const timer = setTimeout(
      () => limit.abort(new DOMException('the probe took too long', 'TimeoutError')),
      timing.limitMs,
    );
    const signal = AbortSignal.any([limit.signal, closing.signal]);
    try {
      const cut = new Promise<never>((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
      });
      await Promise.race([work(signal), cut]);
      await breakers.succeeded(name, pass);
    } catch (error) {
      if (closing.signal.aborted) return breakers.released(name, pass);
      const failure = classifyFailure(error);
      logger.debug('probe failed', { breaker: name, kind: failure.kind });
      // Whatever a probe meets, a question would meet: it stays open.
      await breakers.failed(name, pass);
    } finally {
      clearTimeout(timer);
    }
  }

  async function watch(name: string, work: ProbeWork): Promise<void> {
    let interval = timing.initialMs;
    while (!closing.signal.aborted && breakers.state(name) !== 'closed' && works.get(name) === work) {
      // A little chance keeps replicas from probing in step.
      const wait = interval * (0.9 + Math.random() * 0.2);
      await sleep(wait, undefined, { signal: closing.signal }).catch(() => undefined);
      if (closing.signal.aborted) return;
      await probeOnce(name, work);
      interval = Math.min(interval * growth, timing.maxMs);
    }
  }

  function start(name: string): void {
    const work = works.get(name);
    if (!work || loops.has(name) || closing.signal.aborted) return;
    const loop = watch(name, work)
      .catch((error: unknown) => logger.error('probing ended', { breaker: name, error }))
      .finally(() => loops.delete(name));
    loops.set(name, loop);
  }

  const off = breakers.onChange((name, state) => {
    if (state === 'open') start(name);
  });

  return {
    register(name, work) {
      works.set(name, work);
      if (breakers.state(name) !== 'closed') start(name);
      return () => works.delete(name);
    },
    async close() {
      off();
      closing.abort();
      await Promise.all(loops.values());
    },
  };
}
