import type { AdmitRequest, Admission, Answered } from '@manuel/queues';
import { type JobClass, type JobName, type JobView, ManuelError, jobs } from '@manuel/contracts';
import type { Operation, JobPayload } from '@manuel/contracts';
import { type Caller, isOperator } from './caller.ts';
import type { JsonText } from './json-text.ts';
import type { Outside } from './outside.ts';

/** An `Idempotency-Key` and what it stands for: SHA-256 (hex) of the canonical body. */
export interface Idempotency {
  readonly key: string;
  readonly bodySha256: string;
}

/** What became of a request to do something: a durable job, or its result at once (cached, or done before). */
export type Submitted =
  | { readonly kind: 'job'; readonly view: JobView; readonly replayed: boolean }
  | { readonly kind: 'result'; readonly result: Record<string, unknown> | JsonText };

export interface JobOptions {
  readonly priority: JobClass;
  readonly expires_in_s?: number | undefined;
}

export interface JobRequest<N extends JobName> {
  readonly job: N;
  readonly operation: Operation;
  readonly payload: JobPayload<N>;
  readonly options: JobOptions;
  readonly idempotency: Idempotency | undefined;
  readonly cacheKey?: AdmitRequest['cacheKey'] | undefined;
}

/** `critical` is for operators alone; throws `forbidden`. */
export function checkPriority(caller: Caller, priority: JobClass): void {
  if (priority === 'critical' && !isOperator(caller)) {
    throw new ManuelError('forbidden', 'Priority "critical" is for operators. Use "high" instead.');
  }
}

/** Admits a job of the caller. Throws what `Admitter.admit` throws, and `forbidden` for a priority that is not the caller's. */
export async function admitJob<N extends JobName>(
  outside: Pick<Outside, 'admitter'>,
  caller: Caller,
  request: JobRequest<N>,
): Promise<Admission> {
  checkPriority(caller, request.options.priority);
  return outside.admitter.admit<N>(admitRequest(caller, request));
}

export function admitRequest<N extends JobName>(caller: Caller, request: JobRequest<N>): AdmitRequest<N> {
  return {
    job: request.job,
    operation: request.operation,
    userId: caller.userId,
    payload: request.payload,
    class: request.options.priority,
    expiresInS: request.options.expires_in_s ?? jobs[request.job].expiresInS,
    requestId: caller.requestId,
    ...(caller.traceparent === undefined ? {} : { traceparent: caller.traceparent }),
    ...(request.idempotency === undefined ? {} : { idempotency: request.idempotency }),
    ...(request.cacheKey === undefined ? {} : { cacheKey: request.cacheKey }),
  };
}

/**
 * Submits once: a key that stands for a job gives that job again, even where its recording is used up or its manual gone
 * meanwhile. Asked before anything is stored. Throws `idempotency_mismatch` and what `submit` throws.
 */
export async function submitOnce(
  outside: Pick<Outside, 'admitter'>,
  caller: Caller,
  operation: Operation,
  idempotency: Idempotency | undefined,
  submit: () => Promise<Submitted>,
): Promise<Submitted> {
  const known = idempotency && (await outside.admitter.replay(caller.userId, operation, idempotency));
  return known ? answeredBefore(known) : submit();
}

/** What a key stands for, under the status line of the first time. */
export const answeredBefore = ({ view, answeredStatus }: Answered): Submitted =>
  answeredStatus === 200 ? { kind: 'result', result: view.result ?? {} } : { kind: 'job', view, replayed: true };

/** An admission without a cache key: always a job. */
export function submittedJob(admission: Admission): Submitted {
  if (admission.kind === 'job') {
    return admission.replayed ? answeredBefore(admission) : { kind: 'job', view: admission.view, replayed: false };
  }
  throw new Error('a cached answer came though no cache key was given');
}
