import type { Logger } from './logger.ts';
import { keepHeapSteady } from './steady-heap.ts';

export interface RunningService {
  close(): Promise<void>;
}

/**
 * The life of a service process: start, wait for SIGTERM or SIGINT, drain, exit code. A second signal, or a stop that
 * takes longer than `shutdownMs`, ends the process at once. A failed start prints one line and sets exit code 1.
 */
export async function runService(
  start: () => Promise<{ service: RunningService; logger: Logger; shutdownMs: number }>,
): Promise<void> {
  keepHeapSteady();
  let started: { service: RunningService; logger: Logger; shutdownMs: number };
  try {
    started = await start();
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
    // Connections that a half-done start left open would keep the process alive.
    setTimeout(() => process.exit(1), 500).unref();
    return;
  }
  const { service, logger, shutdownMs } = started;
  let stopping = false;
  const stop = (signal: NodeJS.Signals): void => {
    if (stopping) {
      logger.warn('stopped at once by a second signal', { signal });
      process.exit(1);
    }
    stopping = true;
    logger.info('stopping', { signal });
    const late = setTimeout(() => {
      logger.error('did not stop in time', { shutdown_ms: shutdownMs });
      process.exit(1);
    }, shutdownMs);
    service.close().then(
      () => {
        clearTimeout(late);
        logger.info('stopped');
        process.exitCode = 0;
        setTimeout(() => process.exit(0), 1000).unref();
      },
      (error: unknown) => {
        logger.error('failed to stop cleanly', { error });
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  process.on('unhandledRejection', (error) => {
    logger.error('a promise was rejected and nobody looked', { error });
  });
}
