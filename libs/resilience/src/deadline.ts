import { ManuelError } from '@manuel/contracts';
import { type ClassifiedFailure, classifyFailure, failureOf } from './aws-errors.ts';

export interface Deadline {
  /** Aborted when the time is over or the caller gave up. */
  readonly signal: AbortSignal;
  leftMs(): number;
  throwIfOver(): void;
  /** What an aborted signal means: a time limit (the upstream's fault) or a cancel (nobody's). */
  failure(): ClassifiedFailure;
  /** The work's outcome, or the failure as soon as the signal is aborted, even when the work does not listen to it. */
  race<T>(work: Promise<T>): Promise<T>;
  /** Waits; `watch` may be given a way to end the wait early and returns how to stop watching. */
  sleep(ms: number, watch: (wake: () => void) => () => void): Promise<void>;
  clear(): void;
}

/** The time of one call with all its tries: `ms` from now, and the caller's own signal. */
export function startDeadline(ms: number | undefined, caller: AbortSignal | undefined): Deadline {
  const clock = new AbortController();
  const endsAt = ms === undefined ? Infinity : Date.now() + ms;
  const timer =
    ms === undefined ? undefined : setTimeout(() => clock.abort(new DOMException('deadline', 'TimeoutError')), ms);
  const signal = caller ? AbortSignal.any([clock.signal, caller]) : clock.signal;

  function failure(): ClassifiedFailure {
    const reason: unknown = signal.reason;
    if (reason instanceof ManuelError) return classifyFailure(reason);
    const late = reason instanceof DOMException && reason.name === 'TimeoutError';
    const kind = late ? 'timeout' : 'cancelled';
    return { kind, counts: late, error: failureOf(kind, { cause: reason }) };
  }

  /** Settles with `work`; rejects when the signal is aborted first. */
  async function race<T>(work: Promise<T>): Promise<T> {
    let stop: (() => void) | undefined;
    const cut = new Promise<never>((_resolve, reject) => {
      const onAbort = (): void => reject(failure().error);
      if (signal.aborted) onAbort();
      else signal.addEventListener('abort', onAbort, { once: true });
      stop = () => signal.removeEventListener('abort', onAbort);
    });
    try {
      return await Promise.race([work, cut]);
    } finally {
      stop?.();
    }
  }

  return {
    signal,
    failure,
    race,
    leftMs: () => endsAt - Date.now(),
    throwIfOver() {
      if (signal.aborted) throw failure().error;
    },
    async sleep(wait, watch) {
      let wakeTimer: NodeJS.Timeout | undefined;
      let unwatch: (() => void) | undefined;
      const over = new Promise<void>((resolve) => {
        wakeTimer = setTimeout(resolve, wait);
        unwatch = watch(resolve);
      });
      try {
        await race(over);
      } finally {
        clearTimeout(wakeTimer);
        unwatch?.();
      }
    },
    clear: () => clearTimeout(timer),
  };
}
