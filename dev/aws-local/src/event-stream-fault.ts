import type { ServerResponse } from 'node:http';
import { EventStreamCodec } from '@smithy/eventstream-codec';
import { fromUtf8, toUtf8 } from '@smithy/util-utf8';
import type { AwsError, AwsServiceName } from './service.ts';
import type { FaultKind } from './chaos.ts';

const codec = new EventStreamCodec(toUtf8, fromUtf8);

/**
 * Lets `events` messages of an `application/vnd.amazon.eventstream` answer through and then breaks it off: with the
 * service's exception event (`throttle`, `error`), a closed connection (`reset`) or silence (`timeout`).
 * An answer that has fewer events is left whole.
 */
export function failAfterEvents(
  response: ServerResponse,
  events: number,
  fault: Exclude<FaultKind, 'latency'>,
  error: AwsError,
  service: AwsServiceName,
): void {
  const write = response.write.bind(response);
  const end = response.end.bind(response);
  let pending = Buffer.alloc(0);
  let seen = 0;
  let failed = false;
  let sent: Promise<void> = Promise.resolve();

  const pass = (chunk: Buffer): void => {
    pending = Buffer.concat([pending, chunk]);
    // A message begins with its own length, four bytes, big endian.
    while (!failed && pending.length >= 4 && pending.length >= pending.readUInt32BE(0)) {
      if (seen === events) {
        failed = true;
        void breakOff();
        return;
      }
      const length = pending.readUInt32BE(0);
      const message = pending.subarray(0, length);
      sent = sent.then(() => new Promise((resolve) => write(message, () => resolve())));
      pending = pending.subarray(length);
      seen++;
    }
  };
  const breakOff = async (): Promise<void> => {
    await sent; // what was let through is still delivered
    if (fault === 'reset') response.socket?.resetAndDestroy();
    if (fault === 'throttle' || fault === 'error') {
      write(exceptionMessage(error, service));
      end();
    }
  };

  response.write = (chunk: unknown, ...rest: unknown[]): boolean => {
    if (!failed) pass(bytesOf(chunk));
    callLast(rest);
    return true;
  };
  response.end = (...args: unknown[]): ServerResponse => {
    const [chunk] = args;
    if (!failed && chunk !== undefined && chunk !== null && typeof chunk !== 'function') pass(bytesOf(chunk));
    if (!failed) void sent.then(() => end());
    callLast(args);
    return response;
  };
}

/** Bedrock writes the members of its streams small, Transcribe does not. */
function exceptionMessage(error: AwsError, service: AwsServiceName): Uint8Array {
  const type = service === 'transcribe' ? error.code : error.code.charAt(0).toLowerCase() + error.code.slice(1);
  return codec.encode({
    headers: {
      ':message-type': { type: 'string', value: 'exception' },
      ':exception-type': { type: 'string', value: type },
      ':content-type': { type: 'string', value: 'application/json' },
    },
    body: fromUtf8(JSON.stringify({ message: error.message })),
  });
}

function bytesOf(chunk: unknown): Buffer {
  if (typeof chunk === 'string') return Buffer.from(chunk);
  if (chunk instanceof Uint8Array) return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  throw new TypeError('an HTTP answer is written in strings and bytes only');
}

/** Streams end a write with a callback. */
function callLast(args: readonly unknown[]): void {
  const last = args.at(-1);
  if (typeof last === 'function') process.nextTick(() => Reflect.apply(last, undefined, []));
}
