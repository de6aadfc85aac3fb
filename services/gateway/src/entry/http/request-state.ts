import type { IncomingMessage } from 'node:http';
import type { Identity } from '../../domain/caller.ts';

/** What the middleware learns of a request, for the handlers, the log line and the metrics. */
export interface RequestState {
  readonly requestId: string;
  readonly traceparent: string | undefined;
  /** Milliseconds of the monotonic clock. */
  readonly startedAt: number;
  /** The operation's path (`/api/jobs/{id}`), so that metrics have few labels. */
  route: string;
  identity: Identity | undefined;
  /** Hex, of the body as it was sent; only of signed requests. */
  bodySha256?: string;
}

const key = Symbol('request state');
/** On the request itself: quicker than a WeakMap, and no work for the garbage collector. */
type Remembering = { [key]?: RequestState };

export function rememberState(request: IncomingMessage & Remembering, state: RequestState): void {
  request[key] = state;
}

/** Throws when the first middleware has not run: a mistake in the order of the app. */
export function stateOf(request: IncomingMessage & Remembering): RequestState {
  const state = request[key];
  if (!state) throw new Error('the request has no state: begin-request must be the first middleware');
  return state;
}
