import type { Request, Response } from 'express';
import { type JobView, ManuelError, type Problem, isTerminal, toProblem } from '@manuel/contracts';
import type { Gateway } from '../context.ts';
import type { Caller } from '../domain/caller.ts';
import type { Idempotency, Submitted } from '../domain/submission.ts';
import { idempotencyFrom } from './http/idempotency-key.ts';
import { waitFrom } from './http/prefer.ts';
import type { Reply } from './operation.ts';

/** Seconds after which a client should look at its job again. */
const lookAgainS = '1';

export interface SubmitHeaders {
  readonly waitS: number | undefined;
  readonly idempotency: Idempotency | undefined;
}

/** `Prefer` and `Idempotency-Key`, checked before anything happens. */
export function submitHeaders(request: Request, body: unknown): SubmitHeaders {
  return {
    waitS: waitFrom(request.get('prefer')),
    idempotency: idempotencyFrom(request.headers['idempotency-key'], body),
  };
}

/** Aborted when the client is gone or the gateway stops: nobody waits for the answer any more. */
export function goneSignal(gateway: Pick<Gateway, 'stopping'>, response: Response): AbortSignal {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  return AbortSignal.any([gone.signal, gateway.stopping]);
}

/**
 * The answer to a submission: 200 with the result when it is there at once or within the wait, the problem of a job that
 * failed within it, else 202 with the job.
 */
export async function answerSubmitted(
  gateway: Gateway,
  to: { caller: Caller; response: Response; waitS: number | undefined },
  submitted: Submitted,
): Promise<Reply> {
  const applied = to.waitS === undefined ? {} : { 'Preference-Applied': `wait=${to.waitS}` };
  if (submitted.kind === 'result') return { status: 200, body: submitted.result, headers: applied };
  const { view } = submitted;
  if (to.waitS === undefined) return accepted(view);
  const ended = isTerminal(view.status)
    ? view
    : await gateway.hub.waitForEnd(to.caller.userId, view.id, to.waitS * 1000, goneSignal(gateway, to.response));
  if (!ended) return accepted((await gateway.admitter.view(to.caller.userId, view.id)) ?? view);
  if (ended.status === 'completed') {
    return { status: 200, body: ended.result ?? {}, headers: { ...applied, Location: view.links.self } };
  }
  const problem = problemOf(ended, to.caller.requestId);
  return {
    status: problem.status,
    body: problem,
    headers: { ...applied, Location: view.links.self },
    contentType: 'application/problem+json',
  };
}

const accepted = (view: JobView): Reply => ({
  status: 202,
  body: view,
  headers: { Location: view.links.self, 'Retry-After': lookAgainS },
});

/** Why a job ended without a result. */
export function problemOf(view: JobView, requestId: string): Problem {
  if (view.error) return { ...view.error, request_id: requestId };
  switch (view.status) {
    case 'cancelled':
      return toProblem(new ManuelError('cancelled', 'The job was cancelled.'), requestId);
    case 'expired':
      return toProblem(
        new ManuelError('expired', 'The job expired before it could start. Submit it again.'),
        requestId,
      );
    default:
      return toProblem(new ManuelError('internal', 'The job failed and left no reason.'), requestId);
  }
}
