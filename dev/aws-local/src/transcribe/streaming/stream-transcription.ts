import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { EventStreamCodec } from '@smithy/eventstream-codec';
import { fromUtf8, toUtf8 } from '@smithy/util-utf8';
import { AwsError, type AwsRequest } from '../../service.ts';
import { RecognitionFailure, type Bias } from '../job.ts';
import { badRequest } from '../read-fields.ts';
import { parseStream, type StreamRequest } from './parse-stream.ts';
import { bytesOf } from './pcm.ts';
import { readAudioEvents } from './read-audio-events.ts';
import { recogniseLive, type LiveContext, type LiveResult } from './recognise-live.ts';

export interface StreamContext extends LiveContext {
  /** Silence on the line after which the stream is ended, milliseconds. */
  readonly idleMs: number;
  /** What the named vocabulary and language model hold. @throws AwsError when one is missing */
  biasOf(request: StreamRequest): Bias | undefined;
  log(message: string, fields?: Record<string, unknown>): void;
}

const codec = new EventStreamCodec(toUtf8, fromUtf8);
const EVENT_STREAM = 'application/vnd.amazon.eventstream';

/**
 * StartStreamTranscription: sound comes in as events while results go out as events. The stream is taken at once, as by AWS;
 * what goes wrong later is an exception event.
 * @throws AwsError BadRequestException for a stream that is not taken
 */
export async function streamTranscription(
  context: StreamContext,
  request: AwsRequest,
  response: ServerResponse,
): Promise<void> {
  const wanted = parseStream(request.headers);
  const bias = biasOf(context, wanted);
  const session = wanted.sessionId ?? randomUUID();
  response.writeHead(200, {
    'content-type': EVENT_STREAM,
    'x-amzn-transcribe-session-id': session,
    'x-amzn-transcribe-sample-rate': String(wanted.sampleRate),
    'x-amzn-transcribe-media-encoding': 'pcm',
    ...(wanted.languageCode === undefined ? {} : { 'x-amzn-transcribe-language-code': wanted.languageCode }),
  });
  response.flushHeaders();
  const audio = readAudioEvents(request.raw, {
    maxEventBytes: bytesOf(1, wanted.sampleRate),
    idleMs: context.idleMs,
  });
  let sent = Promise.resolve();
  const write = (message: Uint8Array): void => {
    sent = sent.then(async () => {
      if (!response.write(message)) await once(response, 'drain', { signal: request.signal });
    });
    // Whoever waits for it is told; until then the client may have left.
    sent.catch(() => undefined);
  };
  try {
    const emit = (result: LiveResult): void => write(transcriptEvent(session, wanted, result));
    await recogniseLive(context, { ...wanted, bias }, audio, emit, request.signal);
  } catch (error) {
    if (request.signal.aborted) return;
    write(exception(context, error));
  }
  await sent;
  request.raw.resume();
  response.end();
}

/** A stream knows no NotFoundException, which jobs answer. */
function biasOf(context: StreamContext, request: StreamRequest): Bias | undefined {
  try {
    return context.biasOf(request);
  } catch (error) {
    throw error instanceof AwsError ? badRequest(error.message) : error;
  }
}

function transcriptEvent(session: string, request: StreamRequest, result: LiveResult): Uint8Array {
  const { recognition, startS, endS, partial } = result;
  const seconds = (time: number): number => Math.round(time * 1000) / 1000;
  const payload = {
    Transcript: {
      Results: [
        {
          ResultId: `${session}-${result.segment}`,
          StartTime: seconds(startS),
          EndTime: seconds(endS),
          IsPartial: partial,
          ...(request.languageCode === undefined ? { LanguageCode: recognition.languageCode } : {}),
          Alternatives: [
            {
              Transcript: recognition.text,
              Items: recognition.words.map((word) => ({
                Content: word.text,
                Type: 'pronunciation',
                StartTime: seconds(startS + word.start),
                EndTime: seconds(startS + word.end),
                Confidence: word.confidence,
              })),
            },
          ],
        },
      ],
    },
  };
  return encode({ ':event-type': 'TranscriptEvent', ':message-type': 'event' }, payload);
}

function exception(context: StreamContext, error: unknown): Uint8Array {
  const known = error instanceof AwsError ? { type: error.code, message: error.message } : reasonOf(context, error);
  return encode({ ':exception-type': known.type, ':message-type': 'exception' }, { Message: known.message });
}

function reasonOf(context: StreamContext, error: unknown): { type: string; message: string } {
  if (error instanceof RecognitionFailure) return { type: 'BadRequestException', message: error.message };
  context.log('a stream failed', { error: error instanceof Error ? error.stack : String(error) });
  return {
    type: 'InternalFailureException',
    message: 'A problem occurred while processing the audio. Amazon Transcribe terminated processing.',
  };
}

function encode(headers: Record<string, string>, payload: object): Uint8Array {
  const typed = Object.entries({ ...headers, ':content-type': 'application/json' }).map(
    ([name, value]) => [name, { type: 'string' as const, value }] as const,
  );
  return codec.encode({ headers: Object.fromEntries(typed), body: fromUtf8(JSON.stringify(payload)) });
}
