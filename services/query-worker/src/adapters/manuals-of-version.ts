import type { ManualRow, ManualsLedger } from '@manuel/ledger';

const keptMs = 30_000;
const keptUsers = 2000;

/**
 * A user's manuals, read from the ledger once for each version of them: every upload that became ready and every delete
 * raises the version, so that what is kept under it is what a question may see. No manual at all is looked up each time.
 */
export function createManualsOfVersion(
  manuals: Pick<ManualsLedger, 'all'>,
  now: () => number = Date.now,
): (userId: string, version: string | undefined) => Promise<readonly ManualRow[]> {
  const kept = new Map<string, { version: string; rows: readonly ManualRow[]; until: number }>();
  return async (userId, version) => {
    const known = kept.get(userId);
    if (known && known.version === version && known.until > now()) return known.rows;
    const rows = await manuals.all(userId);
    kept.delete(userId);
    if (version !== undefined && rows.length > 0) {
      kept.set(userId, { version, rows, until: now() + keptMs });
      const [oldest] = kept.keys();
      if (kept.size > keptUsers && oldest !== undefined) kept.delete(oldest);
    }
    return rows;
  };
}
