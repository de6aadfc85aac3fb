import { isRecordedLanguage } from '@manuel/aws';
import { ManuelError, type TranscribeRequest, type VoiceRequest } from '@manuel/contracts';
import type { Admission } from '@manuel/queues';
import type { Caller } from './caller.ts';
import type { Outside } from './outside.ts';
import { type StoredRecording, storeRecording } from './store-recording.ts';
import { type Idempotency, type Submitted, admitJob, checkPriority, submittedJob } from './submission.ts';
import { checkManuals } from './submit-query.ts';

/** Admits a recording to be written down. */
export async function submitTranscription(
  outside: Outside,
  caller: Caller,
  body: TranscribeRequest,
  idempotency?: Idempotency,
): Promise<Submitted> {
  const { priority, expires_in_s, language_code } = body;
  checkPriority(caller, priority);
  checkLanguage(language_code);
  const recording = await storeRecording(outside, caller, body);
  const admission = await keepOnlyIfAdmitted(outside, recording, () =>
    admitJob(outside, caller, {
      job: 'transcribe',
      operation: 'transcribe',
      payload: { ...payloadOf(recording), ...(language_code === undefined ? {} : { language_code }) },
      options: { priority, expires_in_s },
      idempotency,
    }),
  );
  return submittedJob(admission);
}

/** Admits a spoken question: written down, then answered, one job to the client. */
export async function submitVoice(
  outside: Outside,
  caller: Caller,
  body: VoiceRequest,
  idempotency?: Idempotency,
): Promise<Submitted> {
  const { priority, expires_in_s, audio_data: _data, audio_key: _key, content_type: _type, ...question } = body;
  checkPriority(caller, priority);
  checkLanguage(question.language_code);
  await checkManuals(outside, caller, question.manual_ids);
  const { conversation_id } = question;
  if (conversation_id !== undefined) await outside.settleCachedTurn(caller.userId, conversation_id);
  const recording = await storeRecording(outside, caller, body);
  const admission = await keepOnlyIfAdmitted(outside, recording, () =>
    admitJob(outside, caller, {
      job: 'voice',
      operation: 'voice',
      payload: { ...question, ...payloadOf(recording) },
      options: { priority, expires_in_s },
      idempotency,
    }),
  );
  return submittedJob(admission);
}

function checkLanguage(code: string | undefined): void {
  if (code === undefined || isRecordedLanguage(code)) return;
  throw new ManuelError(
    'validation_failed',
    `Speech is not understood in ${code}. Leave language_code out, and the language is found out.`,
    { errors: [{ path: 'language_code', message: 'is not a language of recordings' }] },
  );
}

const payloadOf = ({ audio_key, content_type, audio_sha256, etag }: StoredRecording) => ({
  audio_key,
  content_type,
  ...(audio_sha256 === undefined ? {} : { audio_sha256 }),
  ...(etag === undefined ? {} : { etag }),
});

/** No recording stays behind that no job owns: a refused submission's, or that of one repeated under its Idempotency-Key. */
async function keepOnlyIfAdmitted(
  outside: Outside,
  recording: StoredRecording,
  admit: () => Promise<Admission>,
): Promise<Admission> {
  const discard = (): void => {
    recording.discard().catch((error: unknown) => {
      outside.logger.warn('a recording stays until its bucket’s lifecycle removes it', { error });
    });
  };
  try {
    const admission = await admit();
    if (admission.kind !== 'job' || admission.replayed) discard();
    return admission;
  } catch (error) {
    // After `unavailable` the job may exist all the same, and then the recording is its own.
    if (error instanceof ManuelError && error.code !== 'unavailable') discard();
    throw error;
  }
}
