import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { RequestHandler } from 'express';
import helmet from 'helmet';
import { addHeader } from './gathered-headers.ts';

export interface PageSources {
  /** Origins that the chat page's script may call: sign-in and object store. */
  readonly connect: readonly string[];
}

/**
 * Helmet's headers, with a policy that allows our own files and nothing inline. They are the same on every answer, so helmet
 * runs once here and its headers are copied.
 */
export function securityHeaders(sources: PageSources): RequestHandler {
  const middleware = helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'"],
        imgSrc: ["'self'", 'data:'],
        fontSrc: ["'self'"],
        connectSrc: ["'self'", ...sources.connect],
        baseUri: ["'none'"],
        formAction: ["'self'"],
        frameAncestors: ["'none'"],
      },
    },
    xFrameOptions: { action: 'deny' },
    crossOriginResourcePolicy: { policy: 'cross-origin' },
  });
  const headers = headersOf(middleware);
  return (_request, response, next) => {
    for (const [name, value] of headers) addHeader(response, name, value);
    next();
  };
}

function headersOf(middleware: ReturnType<typeof helmet>): [string, string][] {
  const request = new IncomingMessage(new Socket());
  const response = new ServerResponse(request);
  middleware(request, response, (error) => {
    if (error !== undefined) throw new Error('helmet refused its options', { cause: error });
  });
  return Object.entries(response.getHeaders()).map(([name, value]) => [name, String(value)]);
}
