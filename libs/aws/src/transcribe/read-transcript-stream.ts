import type { TranscriptResultStream } from '@aws-sdk/client-transcribe-streaming';

export interface LiveTranscript {
  /** All that was said; empty: nothing. */
  readonly text: string;
  /** Undefined where Transcribe does not say. */
  readonly languageCode?: string;
}

/** The exceptions that the stream may carry after HTTP 200. */
const exceptionMembers = [
  'BadRequestException',
  'LimitExceededException',
  'InternalFailureException',
  'ConflictException',
  'ServiceUnavailableException',
] as const;

/** Languages that put no space between two sentences. */
const unspaced = /^(?:ja|zh|th)-/;

/**
 * Reads Transcribe's results to their end. Each change calls `onPartial` with all that was heard so far: what is settled,
 * then what may still change. Throws the stream's own exception.
 */
export async function readTranscriptStream(
  stream: AsyncIterable<TranscriptResultStream>,
  onPartial: (text: string) => void,
): Promise<LiveTranscript> {
  const settled: string[] = [];
  let languageCode: string | undefined;
  let told = '';
  const textWith = (open: string): string =>
    [...settled, open]
      .filter((part) => part !== '')
      .join(unspaced.test(languageCode ?? '') ? '' : ' ')
      .trim();
  for await (const event of stream) {
    for (const member of exceptionMembers) if (event[member]) throw event[member];
    for (const result of event.TranscriptEvent?.Transcript?.Results ?? []) {
      languageCode = result.LanguageCode ?? languageCode;
      const text = result.Alternatives?.[0]?.Transcript?.trim() ?? '';
      if (result.IsPartial !== true) settled.push(text);
      const now = textWith(result.IsPartial === true ? text : '');
      if (now === '' || now === told) continue;
      told = now;
      onPartial(now);
    }
  }
  return { text: textWith(''), ...(languageCode === undefined ? {} : { languageCode }) };
}
