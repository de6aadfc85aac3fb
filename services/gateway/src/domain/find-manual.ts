import { ManuelError } from '@manuel/contracts';
import type { ManualRow } from '@manuel/ledger';
import type { Caller } from './caller.ts';
import type { Outside } from './outside.ts';

export const noSuchManual = (): ManuelError =>
  new ManuelError('not_found', 'There is no such manual. List yours with GET /api/manuals.');

/** The caller's manual. Throws `not_found`, the same for none and for another user's. */
export async function findManual(
  outside: Pick<Outside, 'ledger'>,
  caller: Caller,
  manualId: string,
): Promise<ManualRow> {
  const row = await outside.ledger.manuals.get(caller.userId, manualId);
  if (!row) throw noSuchManual();
  return row;
}
