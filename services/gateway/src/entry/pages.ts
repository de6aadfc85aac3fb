import { fileURLToPath } from 'node:url';
import express, { type RequestHandler } from 'express';

const folder = fileURLToPath(new URL('../../public', import.meta.url));

/** The chat page and the style sheets: files that anybody may read. */
export function pages(): RequestHandler {
  return express.static(folder, { index: 'index.html', maxAge: '5m', redirect: false, etag: true });
}
