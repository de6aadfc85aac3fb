import type { ManualRow } from '@manuel/ledger';
import type { Outside } from './outside.ts';

/**
 * Another manual of the same user with the same bytes: one that is ready, else one being ingested that came first (so that
 * of two at once exactly one waits for the other).
 */
export async function findTwin(outside: Outside, row: ManualRow, sha256: string): Promise<ManualRow | undefined> {
  const same = (await outside.ledger.manuals.all(row.user_id, ['ready', 'processing'])).filter(
    (other) => other.sha256 === sha256 && other.manual_id !== row.manual_id,
  );
  return same.find((other) => other.status === 'ready') ?? same.find((other) => cameFirst(other, row));
}

const cameFirst = (one: ManualRow, other: ManualRow): boolean =>
  one.created_at === other.created_at ? one.manual_id < other.manual_id : one.created_at < other.created_at;
