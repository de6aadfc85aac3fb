import type { Logger } from '@manuel/telemetry';

/** Runs `work` again and again, one run at a time, until it is stopped; what a run throws is logged. */
export function every(ms: number, what: string, logger: Logger, work: () => Promise<unknown>): () => Promise<void> {
  let running: Promise<void> | undefined;
  const timer = setInterval(() => {
    running ??= work()
      .then(() => undefined)
      .catch((error: unknown) => logger.warn(`${what} failed; it will be tried again`, { error }))
      .finally(() => (running = undefined));
  }, ms);
  timer.unref();
  return async () => {
    clearInterval(timer);
    await running;
  };
}
