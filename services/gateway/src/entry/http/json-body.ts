import express, { type Request, type RequestHandler } from 'express';
import { ManuelError } from '@manuel/contracts';
import { sha256Hex } from '../../domain/canonical-json.ts';
import { stateOf } from './request-state.ts';

/** Reads a JSON body of at most `maxBytes`. Other types are left alone, for `requireJson` to refuse. */
export function readJson(maxBytes: number): RequestHandler {
  return express.json({
    limit: maxBytes,
    strict: false,
    verify: (request, _response, bytes) => {
      if (request.headers['x-signature'] !== undefined) stateOf(request).bodySha256 = sha256Hex(bytes);
    },
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
