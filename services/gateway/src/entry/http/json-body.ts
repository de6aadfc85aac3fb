import express, { type NextFunction, type Request, type RequestHandler } from 'express';
import { ManuelError } from '@manuel/contracts';
import { currentLogContext, withLogContext } from '@manuel/telemetry';
import { sha256Hex } from '../../domain/canonical-json.ts';
import { stateOf } from './request-state.ts';

const plainJson = /^application\/json(?: *; *charset="?utf-8"?)? *$/i;
const byteOrderMark = 0xfeff;

/**
 * Reads a JSON body of at most `maxBytes`. Other types are left alone, for `requireJson` to refuse. What nearly everybody sends
 * (UTF-8, of announced length, not compressed) is read here, at half of what Express's parser takes; it reads the rest.
 */
export function readJson(maxBytes: number): RequestHandler {
  const readAny = express.json({
    limit: maxBytes,
    strict: false,
    verify: (request, _response, bytes) => noteDigest(request as Request, bytes),
  });
  return (request, response, next) => {
    const { 'content-type': type, 'content-length': length, 'content-encoding': encoding } = request.headers;
    const bytes = Number(length);
    const plain =
      bytes > 0 && bytes <= maxBytes && encoding === undefined && type !== undefined && plainJson.test(type);
    if (plain) readPlain(request, bytes, next);
    else readAny(request, response, next);
  };
}

/** Of a signed request only. */
function noteDigest(request: Request, bytes: Uint8Array): void {
  if (request.headers['x-signature'] !== undefined) stateOf(request).bodySha256 = sha256Hex(bytes);
}

/** Node's parser sees to it that there are as many bytes as were announced: with the last of them the body is there. */
function readPlain(request: Request, announced: number, next: NextFunction): void {
  const chunks: Buffer[] = [];
  let missing = announced;
  // Events of the stream come without the log context. (AsyncLocalStorage.bind makes an async resource each time.)
  const context = currentLogContext();
  const go = (error?: unknown): void => withLogContext(context, () => next(error));
  const broken = (cause: Error): void =>
    go(new ManuelError('validation_failed', 'The body ended before its announced length.', { cause }));
  request.once('error', broken);
  request.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    missing -= chunk.length;
    if (missing > 0) return;
    request.off('error', broken);
    const [first] = chunks;
    const bytes = chunks.length === 1 && first ? first : Buffer.concat(chunks);
    noteDigest(request, bytes);
    const text = bytes.toString('utf8');
    try {
      request.body = JSON.parse(text.charCodeAt(0) === byteOrderMark ? text.slice(1) : text);
    } catch (cause) {
      go(new ManuelError('validation_failed', 'The body is not valid JSON.', { cause }));
      return;
    }
    go();
  });
}

const hasBody = (request: Request): boolean =>
  request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length'] ?? 0) > 0;

/** The body that was read. Throws 415 for another type and 400 for none. */
export function requireJson(request: Request): unknown {
  const body: unknown = request.body;
  if (body !== undefined) return body;
  if (hasBody(request) && !request.is('application/json')) {
    throw new ManuelError('unsupported_media_type', 'Send the body as JSON with Content-Type: application/json.');
  }
  throw new ManuelError('validation_failed', 'The body is missing. Send JSON.', {
    errors: [{ path: 'body', message: 'is missing' }],
  });
}
