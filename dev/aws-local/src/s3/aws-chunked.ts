import { AwsError } from '../service.ts';

const maxLineBytes = 16 * 1024;

/**
 * Takes the `aws-chunked` framing off a body: `<hex size>[;chunk-signature=...]\r\n<bytes>\r\n ... 0\r\n<trailers>\r\n`.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
 * Yields the content; `trailers` is filled when the body has ended. Throws IncompleteBody.
 */
export async function* decodeAwsChunked(
  body: AsyncIterable<Buffer>,
  trailers: Map<string, string>,
): AsyncGenerator<Buffer, void, undefined> {
  let pending: Buffer = Buffer.alloc(0);
  let state: 'size' | 'bytes' | 'line-end' | 'trailers' = 'size';
  let remaining = 0;
  let complete = false;
  for await (const chunk of body) {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
    for (;;) {
      if (state === 'bytes') {
        if (pending.length === 0) break;
        const part = pending.subarray(0, remaining);
        pending = pending.subarray(part.length);
        remaining -= part.length;
        if (remaining === 0) state = 'line-end';
        yield part;
        continue;
      }
      const end = pending.indexOf('\r\n');
      if (end < 0) {
        if (pending.length > maxLineBytes) throw incompleteBody();
        break;
      }
      const line = pending.subarray(0, end).toString('latin1');
      pending = pending.subarray(end + 2);
      if (state === 'line-end') {
        if (line !== '') throw incompleteBody();
        state = 'size';
      } else if (state === 'size') {
        remaining = chunkSize(line);
        state = remaining === 0 ? 'trailers' : 'bytes';
        complete = remaining === 0;
      } else if (line !== '') {
        const colon = line.indexOf(':');
        trailers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
      }
    }
  }
  if (!complete) throw incompleteBody();
}

function chunkSize(line: string): number {
  const [hex = ''] = line.split(';');
  if (!/^[0-9a-fA-F]{1,12}$/.test(hex)) throw incompleteBody();
  return Number.parseInt(hex, 16);
}

function incompleteBody(): AwsError {
  return new AwsError('IncompleteBody', 'The request body terminated unexpectedly');
}
