import type { Logger } from '@manuel/telemetry';

/** Does one piece of work; says how long to wait before the next, or that there is none. */
export type Step = () => Promise<{ readonly waitMs: number } | undefined | { readonly uris: readonly string[] }>;

export interface Loop {
  /** There may be work now. */
  wake(): void;
  /** Ends after the piece of work at hand. */
  close(): Promise<void>;
}

/** With nothing to do it still looks this often: for what a worker that died left behind. */
const idleMs = 1000;
/** After a failure nobody foresaw. */
const failureMs = 1000;

/** Runs a step again and again until closed. */
export function startLoop(step: Step, logger: Logger): Loop {
  const closing = new AbortController();
  const closed = (): boolean => closing.signal.aborted;
  let woken = false;
  let wake = (): void => undefined;

  async function pause(ms: number): Promise<void> {
    if (closed() || woken) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  async function run(): Promise<void> {
    while (!closed()) {
      woken = false;
      try {
        const outcome = await step();
        await pause(outcome && 'waitMs' in outcome ? Math.min(outcome.waitMs, idleMs) : idleMs);
      } catch (error) {
        // Closing takes the connections away under the step; before that a failure is worth a line.
        if (!closed()) logger.warn('indexing stumbled and goes on', { error });
        await pause(failureMs);
      }
    }
  }

  const running = run();
  return {
    wake() {
      woken = true;
      wake();
    },
    async close() {
      closing.abort();
      wake();
      await running;
    },
  };
}
