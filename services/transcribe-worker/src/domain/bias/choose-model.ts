import { modelLanguages } from '@manuel/aws';
import { speechModelName } from '@manuel/contracts';
import type { Outside } from '../outside.ts';
import { languagesOf } from '../recording.ts';
import { makeModel } from './make-model.ts';
import type { Speaker } from './speaker.ts';

/** How long a model that another worker makes is waited for, in looks and milliseconds between them. */
const maxWaits = 60;
const waitMs = 250;

export type Choice =
  /** `name: null`: the recording is heard without a model. */
  { readonly kind: 'chosen'; readonly name: string | null } | { readonly kind: 'wait'; readonly delayMs: number };

/**
 * The model of the owner's own manuals, made when there is none. A recording is never refused for want of a model: whatever
 * goes wrong here, it is heard without one.
 */
export async function chooseModel(outside: Outside, recording: Speaker): Promise<Choice> {
  const { bias, bias_role_arn } = outside.settings.transcribe;
  if (bias === 'off' || bias_role_arn === '') return { kind: 'chosen', name: null };
  try {
    return await choose(outside, recording);
  } catch (error) {
    if (recording.signal.aborted) throw error;
    outside.logger.warn('a recording is heard without a model of its owner’s manuals', { error });
    return { kind: 'chosen', name: null };
  }
}

async function choose(outside: Outside, recording: Speaker): Promise<Choice> {
  const { models, locks, ledger, readyModels } = outside;
  const { userId, signal } = recording;
  const language = modelLanguage(outside, recording);
  if (language === undefined) return { kind: 'chosen', name: null };
  const manuals = await ledger.manuals.all(userId, ['ready']);
  if (manuals.length === 0) return { kind: 'chosen', name: null };
  const name = speechModelName(
    userId,
    language,
    manuals.map((manual) => manual.manual_id),
  );
  if (readyModels.has(name)) return { kind: 'chosen', name };
  const state = await models.state(name, signal);
  if (state === 'ready') {
    readyModels.add(name);
    return { kind: 'chosen', name };
  }
  // AWS takes hours over it; until then everybody is heard without.
  if (state !== undefined) return { kind: 'chosen', name: null };
  const held = await locks.hold(name, () => makeModel(outside, recording, { name, language, manuals }));
  if (held === undefined) {
    const waits = recording.memory.waits ?? 0;
    return waits < maxWaits ? { kind: 'wait', delayMs: waitMs } : { kind: 'chosen', name: null };
  }
  if (held.done !== 'ready') return { kind: 'chosen', name: null };
  readyModels.add(name);
  return { kind: 'chosen', name };
}

/** The language of the model: the one that is spoken, or the first candidate. */
export function modelLanguage(outside: Pick<Outside, 'settings'>, recording: Pick<Speaker, 'source'>) {
  const [language] = languagesOf(outside.settings, recording);
  return language !== undefined && modelLanguages.includes(language) ? language : undefined;
}
