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
}

const states = new WeakMap<IncomingMessage, RequestState>();

export function rememberState(request: IncomingMessage, state: RequestState): void {
  states.set(request, state);
}

/** Throws when the first middleware has not run: a mistake in the order of the app. */
export function stateOf(request: IncomingMessage): RequestState {
  const state = states.get(request);
  if (!state) throw new Error('the request has no state: begin-request must be the first middleware');
  return state;
}
