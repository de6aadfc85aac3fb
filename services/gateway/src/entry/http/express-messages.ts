import { IncomingMessage, type ServerOptions, ServerResponse } from 'node:http';
import type { Express } from 'express';

type Messages = Required<Pick<ServerOptions, 'IncomingMessage' | 'ServerResponse'>>;

/**
 * Requests and responses that have Express's prototypes from the start. Express gives them to each as it comes, and an object
 * whose prototype changes is slow from then on.
 */
export function expressMessages(app: Express): Messages {
  return {
    IncomingMessage: withPrototype(IncomingMessage, app.request),
    ServerResponse: withPrototype(ServerResponse, app.response),
  };
}

function withPrototype<C extends typeof IncomingMessage | typeof ServerResponse>(base: C, prototype: object): C {
  // Not a class: the prototype of a class cannot be chosen.
  const made = function (...args: unknown[]): object {
    return Reflect.construct(base, args, made);
  };
  made.prototype = prototype;
  // Safe: it constructs what `base` does, and the prototype inherits from that of `base`.
  return made as unknown as C;
}
