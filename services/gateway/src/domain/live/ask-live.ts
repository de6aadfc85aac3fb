import { isLiveLanguage } from '@manuel/aws';
import { type AudioStart, type JobView, ManuelError, cutQuestion, jobs } from '@manuel/contracts';
import type { Caller } from '../caller.ts';
import type { Outside } from '../outside.ts';
import { admitJob, checkPriority, submittedJob } from '../submission.ts';
import { checkManuals } from '../submit-query.ts';
import { speechModel } from './speech-model.ts';

export interface LiveQuestion {
  readonly start: AudioStart;
  /** 16-bit PCM, as it is spoken; its end is the end of the question. */
  readonly sound: AsyncIterable<Uint8Array>;
  /** All that was heard so far. */
  readonly onPartial: (text: string) => void;
  /** Aborted with the reason why nobody wants the answer any more. */
  readonly signal: AbortSignal;
}

/**
 * Hears a question while it is spoken, then admits it as a voice job that is written down already: what was heard is in its
 * payload, the sound is nowhere kept. Whoever may not ask is refused before Transcribe is. Throws what `submitVoice` throws,
 * `no_speech`, `transcription_failed`, and the signal's reason.
 */
export async function askLive(outside: Outside, caller: Caller, question: LiveQuestion): Promise<JobView> {
  const { start, sound, onPartial, signal } = question;
  const { type: _type, ref: _ref, content_type: _content, sample_rate, language_code, ...rest } = start;
  const { priority, expires_in_s, ...asked } = rest;
  checkPriority(caller, priority);
  if (language_code !== undefined && !isLiveLanguage(language_code)) {
    throw new ManuelError('validation_failed', `Live speech is not understood in ${language_code}.`, {
      errors: [{ path: 'language_code', message: 'is not a language of live speech' }],
    });
  }
  const languages = languagesOf(outside, language_code);
  const leave = await outside.livePlaces.take(caller.userId);
  let text: string;
  try {
    const [model] = await Promise.all([
      speechModel(outside, caller.userId, languages),
      outside.admitter.check({ job: 'query', operation: 'voice', userId: caller.userId, class: priority }),
      checkManuals(outside, caller, asked.manual_ids),
    ]);
    signal.throwIfAborted();
    ({ text } = await outside.speech.transcribe(
      { sampleRate: sample_rate, languages, audio: sound, onPartial, ...model },
      signal,
    ));
  } finally {
    leave();
  }
  if (!/[\p{L}\p{N}]/u.test(text)) {
    throw new ManuelError('no_speech', 'No speech was heard. Speak closer to the microphone.');
  }
  const { conversation_id } = asked;
  if (conversation_id !== undefined) await outside.settleCachedTurn(caller.userId, conversation_id);
  const admission = await admitJob(outside, caller, {
    job: 'query',
    operation: 'voice',
    payload: { ...asked, question: cutQuestion(text), transcription: text },
    options: { priority, expires_in_s: expires_in_s ?? jobs.voice.expiresInS },
    idempotency: undefined,
  });
  const submitted = submittedJob(admission);
  if (submitted.kind !== 'job') throw new Error('a live question was answered without a job');
  const { view } = submitted;
  return { ...view, progress: { ...view.progress, transcription: text } };
}

/** One: it is spoken. More: the one that is spoken is found out. */
function languagesOf({ settings }: Pick<Outside, 'settings'>, named: string | undefined): readonly string[] {
  const { live_language, languages } = settings.transcribe;
  if (named !== undefined) return [named];
  return live_language === '' ? languages : [live_language];
}
