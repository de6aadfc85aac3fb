import { anySpeechModel, speechModelName, readSpeechModelName } from '@manuel/contracts';
import type { Outside } from '../outside.ts';

/**
 * Deletes models whose manuals are no longer what they were: a deleted manual's words must not live on in a model.
 * Answers how many were deleted.
 */
export async function forgetModels(outside: Pick<Outside, 'models' | 'ledger' | 'readyModels'>): Promise<number> {
  const { models, ledger, readyModels } = outside;
  const current = new Map<string, readonly string[]>();
  let deleted = 0;
  for await (const name of models.names(anySpeechModel)) {
    const known = readSpeechModelName(name);
    if (known === undefined) continue;
    const manuals =
      current.get(known.userId) ?? (await ledger.manuals.all(known.userId, ['ready'])).map((row) => row.manual_id);
    current.set(known.userId, manuals);
    if (speechModelName(known.userId, known.language, manuals) === name) continue;
    readyModels.delete(name);
    await models.delete(name);
    deleted += 1;
  }
  return deleted;
}
