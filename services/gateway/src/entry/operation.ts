import type { Request, Response } from 'express';
import type { z } from 'zod';
import { type ErrorCode, ManuelError } from '@manuel/contracts';
import type { Gateway } from '../context.ts';
import type { Caller } from '../domain/caller.ts';
import { callerOf } from './http/authenticate.ts';
import { requireJson } from './http/json-body.ts';
import { parse } from './http/parse.ts';
import { type Headers, sendEmpty, sendJson } from './http/send.ts';

/** Who may call: anybody, any user, operators and viewers, operators alone. */
export type Access = 'open' | 'user' | 'viewer' | 'operator';
export type Tag = 'Ask' | 'Manuals' | 'Jobs' | 'User' | 'Operations' | 'Service';

/** Request headers that an operation looks at, on top of those that all do. */
export type AcceptedHeader = 'Prefer' | 'Idempotency-Key' | 'Last-Event-ID';

export interface Answer {
  readonly description: string;
  /** Undefined: no body, or not JSON (then `contentType` says what). */
  readonly schema?: z.ZodType;
  readonly example?: unknown;
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Reply {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Headers;
  readonly contentType?: string;
}

/** What a handler gets: everything checked. */
export interface Input<P, Q, B> {
  /** Throws `unauthenticated` in an open operation. */
  readonly caller: Caller;
  readonly params: P;
  readonly query: Q;
  readonly body: B;
  readonly request: Request;
  readonly response: Response;
}

/** A class, because an object literal with a getter gets a shape of its own each time, which cost a fifth of a request. */
class CheckedInput<P, Q, B> implements Input<P, Q, B> {
  readonly params: P;
  readonly query: Q;
  readonly body: B;
  readonly request: Request;
  readonly response: Response;
  constructor(params: P, query: Q, body: B, request: Request, response: Response) {
    this.params = params;
    this.query = query;
    this.body = body;
    this.request = request;
    this.response = response;
  }
  get caller(): Caller {
    return callerOf(this.request);
  }
}

/** One operation of the API. Routes, checks, OpenAPI and the docs page all derive from it. */
interface OperationFacts {
  readonly id: string;
  readonly method: 'get' | 'post' | 'put' | 'delete';
  /** OpenAPI's form: `/api/jobs/{id}`. */
  readonly path: string;
  readonly tag: Tag;
  readonly summary: string;
  readonly description?: string;
  readonly access: Access;
  readonly accepts?: readonly AcceptedHeader[];
  /** Its body may be multipart/form-data with one `file` as well. */
  readonly multipart?: boolean;
  /** Needs a signed request where `security.hmac` is `required`. */
  readonly sensitive?: boolean;
  readonly bodyExample?: unknown;
  readonly answers: Readonly<Record<number, Answer>>;
  /** Problems of its own, on top of those that its access and input bring along. */
  readonly errors: readonly ErrorCode[];
}

export interface OperationSpec<
  P extends z.ZodObject,
  Q extends z.ZodObject,
  B extends z.ZodType,
> extends OperationFacts {
  /** A path parameter that does not fit is 404, as `missing` says it: an id that cannot exist does not exist. */
  readonly params?: P;
  readonly missing?: () => ManuelError;
  readonly query?: Q;
  readonly body?: B;
  /** Answers, or returns nothing when it has answered by itself (a stream). */
  handle(gateway: Gateway, input: Input<z.infer<P>, z.infer<Q>, z.infer<B>>): Promise<Reply | void> | Reply;
}

/** An operation whose types are checked already. */
export interface Operation extends OperationFacts {
  readonly params: z.ZodObject | undefined;
  readonly query: z.ZodObject | undefined;
  readonly body: z.ZodType | undefined;
  run(gateway: Gateway, request: Request, response: Response): Promise<void>;
}

export function operation<P extends z.ZodObject, Q extends z.ZodObject, B extends z.ZodType>(
  spec: OperationSpec<P, Q, B>,
): Operation {
  const { params, query, body } = spec;
  return {
    ...spec,
    params,
    query,
    body,
    async run(gateway, request, response) {
      const input = new CheckedInput(
        // Where a schema is missing the handler's type for it is unknown, and undefined is one.
        (params ? parseParams(params, request.params, spec.missing) : undefined) as z.infer<P>,
        (query ? parse(query, request.query, 'query') : undefined) as z.infer<Q>,
        (body && !isMultipart(spec, request) ? parse(body, requireJson(request), 'body') : undefined) as z.infer<B>,
        request,
        response,
      );
      const reply = await spec.handle(gateway, input);
      if (reply) send(response, reply);
    },
  };
}

const isMultipart = (spec: OperationFacts, request: Request): boolean =>
  spec.multipart === true && Boolean(request.is('multipart/form-data'));

const nothing = (): ManuelError => new ManuelError('not_found', 'There is nothing with this id.');

function parseParams<P extends z.ZodObject>(schema: P, params: unknown, missing = nothing): z.infer<P> {
  const parsed = schema.safeParse(params);
  if (!parsed.success) throw missing();
  return parsed.data;
}

function send(response: Response, reply: Reply): void {
  if (reply.body === undefined) sendEmpty(response, reply.status, reply.headers);
  else
    sendJson(response, reply.status, reply.body, { 'Cache-Control': 'no-store', ...reply.headers }, reply.contentType);
}
