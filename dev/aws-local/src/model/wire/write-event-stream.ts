import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { EventStreamCodec } from '@smithy/eventstream-codec';
import { fromUtf8, toUtf8 } from '@smithy/util-utf8';
import { AwsError } from '../../service.ts';
import type { StreamEvent } from './stream-events.ts';

const codec = new EventStreamCodec(toUtf8, fromUtf8);

/** The errors that ConverseStream can send inside a stream that has begun; any other becomes the first. */
const STREAM_EXCEPTIONS: Readonly<Record<string, string>> = {
  InternalServerException: 'internalServerException',
  ModelErrorException: 'modelStreamErrorException',
  ModelTimeoutException: 'modelStreamErrorException',
  ModelStreamErrorException: 'modelStreamErrorException',
  ValidationException: 'validationException',
  ThrottlingException: 'throttlingException',
  ServiceUnavailableException: 'serviceUnavailableException',
};

/**
 * Sends events as `application/vnd.amazon.eventstream`, stopping at once when the client is gone. The status line waits for the first
 * event, so that a model that fails at once still answers with a plain error; later errors go into the stream, as AWS does.
 */
export async function writeEventStream(
  response: ServerResponse,
  events: AsyncIterable<StreamEvent>,
  signal: AbortSignal,
): Promise<void> {
  try {
    for await (const event of events) {
      if (signal.aborted) return;
      if (!response.headersSent) {
        response.writeHead(200, { 'content-type': 'application/vnd.amazon.eventstream' });
      }
      const frame = encode({ ':event-type': event.type, ':message-type': 'event' }, event.payload);
      if (!response.write(frame)) await once(response, 'drain', { signal });
    }
  } catch (error) {
    if (signal.aborted) return;
    if (!response.headersSent) throw error;
    const { type, message } = describe(error);
    response.write(encode({ ':exception-type': type, ':message-type': 'exception' }, { message }));
  }
  response.end();
}

function encode(headers: Record<string, string>, payload: object): Uint8Array {
  const typed = Object.entries({ ...headers, ':content-type': 'application/json' }).map(
    ([name, value]) => [name, { type: 'string' as const, value }] as const,
  );
  return codec.encode({ headers: Object.fromEntries(typed), body: fromUtf8(JSON.stringify(payload)) });
}

function describe(error: unknown): { type: string; message: string } {
  const known = error instanceof AwsError ? STREAM_EXCEPTIONS[error.code] : undefined;
  if (known !== undefined && error instanceof AwsError) return { type: known, message: error.message };
  return {
    type: 'internalServerException',
    message: 'The system encountered an unexpected error during processing. Try your request again.',
  };
}
