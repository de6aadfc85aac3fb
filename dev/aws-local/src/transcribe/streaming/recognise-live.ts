import type { Bias, Recogniser, Recognition } from '../job.ts';
import type { Slots } from '../slots.ts';
import type { StreamRequest } from './parse-stream.ts';
import { findCut, pcmToWav, secondsOf } from './pcm.ts';

/** What was heard of one segment of a stream; `partial`: it may still change. */
export interface LiveResult {
  readonly segment: number;
  readonly partial: boolean;
  /** Where the segment begins and ends in the stream, seconds. */
  readonly startS: number;
  readonly endS: number;
  readonly recognition: Recognition;
}

export interface LiveContext {
  readonly recogniser: Recogniser;
  /** Recognitions that run at once, of all streams together. */
  readonly slots: Slots;
  /** New sound after which a segment is heard again, seconds. */
  readonly partialEveryS: number;
}

export type LiveRequest = StreamRequest & { readonly bias?: Bias | undefined };

interface Segment {
  readonly index: number;
  readonly startS: number;
  pcm: Buffer;
  /** How much of it the last draft has heard. */
  draftedBytes: number;
}

/**
 * Recognises speech while it comes in: the segment that is being spoken is heard again and again as it grows, and once more
 * with all means when it is over. Nothing is emitted of a segment in which nobody speaks.
 * @throws RecognitionFailure with a reason for the speaker
 */
export async function recogniseLive(
  context: LiveContext,
  request: LiveRequest,
  audio: AsyncIterable<Buffer>,
  emit: (result: LiveResult) => void,
  signal: AbortSignal,
): Promise<void> {
  const { slots, partialEveryS } = context;
  const { sampleRate } = request;
  const ended = new AbortController();
  const over = AbortSignal.any([signal, ended.signal]);
  const failed = Promise.withResolvers<never>();
  let segment: Segment = { index: 0, startS: 0, pcm: Buffer.alloc(0), draftedBytes: 0 };
  let draft: { readonly done: Promise<void>; abort(): void } | undefined;
  let settled: Promise<void> = Promise.resolve();
  let settling = 0;

  const hear = async ({ index, startS, pcm }: Segment, partial: boolean, within: AbortSignal): Promise<void> => {
    const recognition = await slots.run(() => recognise(context.recogniser, request, pcm, partial, within));
    if (within.aborted || recognition.text === '') return;
    emit({ segment: index, partial, startS, endS: startS + secondsOf(pcm.length, sampleRate), recognition });
  };
  const beginDraft = (): void => {
    segment.draftedBytes = segment.pcm.length;
    const stop = new AbortController();
    const within = AbortSignal.any([over, stop.signal]);
    const done = hear({ ...segment }, true, within)
      .catch((error: unknown) => {
        if (!within.aborted) failed.reject(error);
      })
      .finally(() => (draft = undefined));
    draft = { done, abort: () => stop.abort() };
  };
  /** In order: a segment is not settled before the one that was spoken before it. */
  const settle = (spoken: Segment): void => {
    const before = [settled, draft?.done ?? Promise.resolve()];
    draft?.abort();
    settling += 1;
    settled = Promise.all(before)
      .then(() => hear(spoken, false, over))
      .finally(() => (settling -= 1));
    settled.catch((error: unknown) => failed.reject(error));
  };
  const listen = async (): Promise<void> => {
    for await (const chunk of audio) {
      segment.pcm = Buffer.concat([segment.pcm, chunk]);
      const cut = findCut(segment.pcm, sampleRate);
      if (cut !== undefined) {
        const { index, startS, pcm } = segment;
        settle({ ...segment, pcm: pcm.subarray(0, cut) });
        const nextS = startS + secondsOf(cut, sampleRate);
        segment = { index: index + 1, startS: nextS, pcm: pcm.subarray(cut), draftedBytes: 0 };
      } else if (draft === undefined && settling === 0 && slots.isFree) {
        const fresh = segment.pcm.length - segment.draftedBytes;
        if (secondsOf(fresh, sampleRate) >= partialEveryS) beginDraft();
      }
    }
    if (segment.pcm.length > 0) settle(segment);
    await settled;
  };
  try {
    await Promise.race([listen(), failed.promise]);
  } finally {
    ended.abort();
  }
}

async function recognise(
  recogniser: Recogniser,
  request: LiveRequest,
  pcm: Buffer,
  draft: boolean,
  signal: AbortSignal,
): Promise<Recognition> {
  signal.throwIfAborted();
  const { sampleRate, languageCode, languageOptions, bias } = request;
  const whole = pcm.subarray(0, pcm.length - (pcm.length % 2));
  return recogniser.recognise(
    {
      media: pcmToWav(whole, sampleRate),
      format: 'wav',
      languageOptions,
      draft,
      ...(languageCode === undefined ? {} : { languageCode }),
      ...(bias === undefined ? {} : { bias }),
    },
    signal,
  );
}
