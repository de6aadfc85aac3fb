import { type LiveSpeech, modelLanguages } from '@manuel/aws';
import { speechModelName } from '@manuel/contracts';
import type { Outside } from '../outside.ts';

/**
 * The language model of the user's own manuals, as the transcribe worker makes it for recordings; nothing where there can be
 * none. Whether it has been made is not asked: a stream whose model is missing is heard without, and the next one has it.
 */
export async function speechModel(
  { settings, ledger, wantSpeechModel }: Pick<Outside, 'settings' | 'ledger' | 'wantSpeechModel'>,
  userId: string,
  languages: readonly string[],
): Promise<Pick<LiveSpeech, 'model' | 'onModelMissing'>> {
  const { bias, bias_role_arn } = settings.transcribe;
  const [language, ...others] = languages;
  // Where the language is still to be found out, Transcribe takes no model.
  if (bias === 'off' || bias_role_arn === '' || language === undefined || others.length > 0) return {};
  if (!modelLanguages.includes(language)) return {};
  const manuals = await ledger.manuals.all(userId, ['ready']);
  if (manuals.length === 0) return {};
  const ids = manuals.map((manual) => manual.manual_id);
  return {
    model: speechModelName(userId, language, ids),
    onModelMissing: () => wantSpeechModel({ userId, language }),
  };
}
