import type { Context } from '../context.ts';
import { reconcileFailures } from '../domain/reconcile-failures.ts';

export interface Rounds {
  /** Progress: a round ended lately. A round that cannot reach Redis or DynamoDB ends, too; restarting would not help. */
  live(): Promise<{ ok: boolean; detail: Record<string, unknown> }>;
  /** Waits a while for the round that is under way. */
  close(): Promise<void>;
}

/** Longest time one round may take before it is given up, milliseconds. */
const roundLimitMs = 60_000;
/** Longest wait for a round at a stop, milliseconds. */
const closeLimitMs = 10_000;

async function within<T>(work: Promise<T>, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} took longer than ${roundLimitMs} ms`)), roundLimitMs);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

/** Sweeps and reconciles every `ledger.sweep_interval_ms`, one round after the other, the first at once. */
export function startRounds(context: Context): Rounds {
  const { settings, logger, janitor, metrics, outbox } = context;
  const everyMs = settings.ledger.sweep_interval_ms;
  const stop = new AbortController();
  let lastEnd = Date.now();

  async function attempt(what: string, work: () => Promise<unknown>): Promise<void> {
    const start = Date.now();
    try {
      await within(work(), what);
    } catch (error) {
      logger.warn(`${what} failed and is tried again in the next round`, { error, next_in_ms: everyMs });
      metrics.count('rounds_failed_total', 'Rounds that failed', { round: what });
    }
    metrics.time('round_seconds', 'Length of a round', (Date.now() - start) / 1000, { round: what });
  }

  async function pause(): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(done, everyMs);
      function done(): void {
        clearTimeout(timer);
        stop.signal.removeEventListener('abort', done);
        resolve();
      }
      stop.signal.addEventListener('abort', done);
    });
  }

  async function go(): Promise<void> {
    while (!stop.signal.aborted) {
      await attempt('sweep', () => janitor.sweep());
      await attempt('sending alerts', () => outbox.flush());
      await attempt('reconciling failures', () => reconcileFailures(context, Date.now));
      lastEnd = Date.now();
      await pause();
    }
  }
  const going = go();

  return {
    async live() {
      const sinceMs = Date.now() - lastEnd;
      return { ok: sinceMs < everyMs + 3 * roundLimitMs, detail: { last_round_s: Math.round(sinceMs / 1000) } };
    },
    async close() {
      stop.abort();
      // A round that hangs on a lost connection ends when the connections are closed.
      await Promise.race([going, new Promise((resolve) => setTimeout(resolve, closeLimitMs).unref())]);
    },
  };
}
