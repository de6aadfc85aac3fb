import { modelLanguages } from '@manuel/aws';
import { speechModelName } from '@manuel/contracts';
import type { Outside } from '../outside.ts';

/**
 * The name of the language model of the user's own manuals, as the transcribe worker makes it of recordings; undefined where
 * there can be none. Whether it has been made is not asked: a stream whose model is missing is heard without.
 */
export async function chooseSpeechModel(
  { settings, ledger }: Pick<Outside, 'settings' | 'ledger'>,
  userId: string,
  languages: readonly string[],
): Promise<string | undefined> {
  const { bias, bias_role_arn } = settings.transcribe;
  const [language, ...others] = languages;
  // Where the language is still to be found out, Transcribe takes no model.
  if (bias === 'off' || bias_role_arn === '' || language === undefined || others.length > 0) return undefined;
  if (!modelLanguages.includes(language)) return undefined;
  const manuals = await ledger.manuals.all(userId, ['ready']);
  if (manuals.length === 0) return undefined;
  return speechModelName(
    userId,
    language,
    manuals.map((manual) => manual.manual_id),
  );
}
