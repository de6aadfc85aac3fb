import type { Context } from '../context.ts';
import { reconcile } from './reconcile.ts';

const lookEveryMs = 300_000;
const dayS = 86_400;

/**
 * Reconciles once a night, in the hour that the settings name (UTC), by one worker of all. It mends what loses nothing and only
 * tells of stored files that nobody names. Returns how to stop it.
 */
export function startNightly(
  context: Context,
  now: () => Date = () => new Date(),
): { look(): Promise<boolean>; stop(): void } {
  const { settings, logger, metrics } = context;

  /** Runs when it is time and nobody else does. */
  async function look(): Promise<boolean> {
    const time = now();
    if (time.getUTCHours() !== settings.ingest.reconcile_hour) return false;
    if (!(await context.claim(`reconcile:${time.toISOString().slice(0, 10)}`, dayS))) return false;
    const report = await reconcile(context, { mend: 'all but files' });
    for (const finding of report.findings) {
      logger.warn('found in the nightly reconciliation', { ...finding });
      metrics.count('reconcile_findings_total', 'What S3, ledger and index disagreed on', { kind: finding.kind });
    }
    return true;
  }

  const timer = setInterval(() => {
    look().catch((error: unknown) => logger.error('the nightly reconciliation failed', { error }));
  }, lookEveryMs);
  timer.unref();
  return { look, stop: () => clearInterval(timer) };
}
