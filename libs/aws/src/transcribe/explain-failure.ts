import { ManuelError, type ManuelErrorOptions } from '@manuel/contracts';

interface Explanation {
  readonly about: RegExp;
  readonly detail: string;
  readonly retryable?: boolean;
}

/** What the user can do about Transcribe's reasons (its API reference lists them under FailureReason). */
const explanations: readonly Explanation[] = [
  {
    about: /media format|unsupported format|could not be decoded|not be converted|isn't valid/i,
    detail: 'The recording is in a form that cannot be transcribed. Save it as WAV, MP3 or FLAC and send it again.',
  },
  {
    about: /sample rate/i,
    detail: 'The recording’s sample rate is not one that can be transcribed. Record at 16,000 Hz or more.',
  },
  { about: /channels/i, detail: 'The recording has too many channels. Record in mono or stereo.' },
  {
    about: /file size|too large|too long|duration/i,
    detail: 'The recording is too long to be transcribed. Shorten it.',
  },
  {
    about: /language/i,
    detail: 'The language could not be told. Name it in language_code, or speak for longer.',
  },
  {
    about: /internal|try your request again|try again|timed? ?out/i,
    detail: 'The transcription service failed. Try again.',
    retryable: true,
  },
];

/** Advice of the local decoder: what to install or to set. Plain words without addresses or paths. */
const advice = /^[\x20-\x7e]*\b(?:install|installed|SPEECH_URL)\b[\x20-\x7e]*$/;
const address = /arn:|s3:\/\/|\/(?:home|usr|tmp|var|root)\//;

/** The failure of a Transcribe job or stream, by the reason that Transcribe gives, as the speaker should see it. */
export function explainFailure(reason: string | undefined): ManuelError {
  const cause = new Error(`Transcribe: ${reason ?? 'no reason given'}`);
  const failed = (detail: string, options: ManuelErrorOptions = {}): ManuelError =>
    new ManuelError('transcription_failed', detail, { cause, ...options });
  const text = (reason ?? '').slice(0, 500);
  if (advice.test(text) && !address.test(text)) return failed(text);
  const known = explanations.find(({ about }) => about.test(text));
  if (known) return failed(known.detail, { retryable: known.retryable ?? false });
  return failed('The speech could not be transcribed. Record it again, in a quieter place if you can.');
}
