import type { IncomingMessage } from 'node:http';
import { EventStreamCodec } from '@smithy/eventstream-codec';
import { fromUtf8, toUtf8 } from '@smithy/util-utf8';
import { badRequest } from '../read-fields.ts';

const codec = new EventStreamCodec(toUtf8, fromUtf8);
/** Two seconds of the largest sound there is, and its wrapping. */
const MAX_MESSAGE_BYTES = 256 * 1024;
const LENGTH_BYTES = 4;

type Headers = ReturnType<EventStreamCodec['decode']>['headers'];

/**
 * The sound in the body of StartStreamTranscription: messages of `application/vnd.amazon.eventstream`, each of which wraps a
 * signed one (their signatures are not checked). Ends with the empty message, or with the body.
 * @throws AwsError BadRequestException for what is no such message, for more than a second of sound in one, and for silence on the line
 */
export async function* readAudioEvents(
  raw: IncomingMessage,
  limits: { readonly maxEventBytes: number; readonly idleMs: number },
): AsyncGenerator<Buffer> {
  let pending: Buffer = Buffer.alloc(0);
  for await (const chunk of withIdleLimit(raw, limits.idleMs)) {
    pending = Buffer.concat([pending, chunk]);
    while (pending.length >= LENGTH_BYTES && pending.length >= pending.readUInt32BE(0)) {
      const sound = soundOf(decode(pending.subarray(0, checkedLength(pending))));
      pending = pending.subarray(checkedLength(pending));
      if (sound === undefined) return;
      if (sound.length > limits.maxEventBytes) {
        throw badRequest('The audio event is too large: send at most one second of audio in an event.');
      }
      if (sound.length > 0) yield sound;
    }
    if (pending.length >= LENGTH_BYTES) checkedLength(pending);
  }
  if (pending.length > 0) throw badRequest('The stream ended in the middle of an event.');
}

function checkedLength(pending: Buffer): number {
  const length = pending.readUInt32BE(0);
  if (length < 16 || length > MAX_MESSAGE_BYTES) throw badRequest('The event stream could not be parsed.');
  return length;
}

function decode(bytes: Uint8Array): { headers: Headers; body: Uint8Array } {
  try {
    return codec.decode(bytes);
  } catch {
    throw badRequest('The event stream could not be parsed.');
  }
}

/** The sound of a message; undefined for the empty one that ends the stream. */
function soundOf(message: { headers: Headers; body: Uint8Array }): Buffer | undefined {
  const { headers, body } = message;
  if (headers[':chunk-signature'] !== undefined) return body.length === 0 ? undefined : soundOf(decode(body));
  const type = headers[':event-type']?.value;
  if (type !== 'AudioEvent') throw badRequest(`An event of the type ${String(type)} is not supported.`);
  return Buffer.from(body.buffer, body.byteOffset, body.byteLength);
}

async function* withIdleLimit(raw: IncomingMessage, idleMs: number): AsyncGenerator<Buffer> {
  // Not destroyed when we stop early: the client shall still get an answer.
  const source: AsyncIterator<Buffer> = raw.iterator({ destroyOnReturn: false });
  for (;;) {
    let timer: NodeJS.Timeout | undefined;
    const idle = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(
        () =>
          reject(
            badRequest(
              `Your request timed out because no new audio was received for ${Math.round(idleMs / 1000)} seconds.`,
            ),
          ),
        idleMs,
      );
    });
    try {
      const next = await Promise.race([source.next(), idle]);
      if (next.done === true) return;
      yield next.value;
    } finally {
      clearTimeout(timer);
    }
  }
}
