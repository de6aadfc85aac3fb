import type { Express, RequestHandler } from 'express';
import { ManuelError } from '@manuel/contracts';
import type { Gateway } from '../context.ts';
import { isOperator, isViewer } from '../domain/caller.ts';
import { authenticate, callerOf } from './http/authenticate.ts';
import { readJson } from './http/json-body.ts';
import type { RateLimits } from './http/rate-limit.ts';
import { requireSignature } from './http/require-signature.ts';
import { stateOf } from './http/request-state.ts';
import type { Access, Operation } from './operation.ts';
import { operations } from './operations/index.ts';

const expressPath = (path: string): string => path.replace(/\{(\w+)\}/g, ':$1');

function guard(access: Access): RequestHandler[] {
  if (access !== 'operator' && access !== 'viewer') return [];
  const allowed = access === 'operator' ? isOperator : isViewer;
  return [
    (request, _response, next) => {
      if (!allowed(callerOf(request))) throw new ManuelError('forbidden', 'This is for operators.');
      next();
    },
  ];
}

/** Puts every operation of the table on the app, in the order of cost: address, token, user, body. */
export function addRoutes(app: Express, gateway: Gateway, limits: RateLimits): void {
  const json = readJson(gateway.settings.request.max_size_mb * 1024 * 1024);
  const signedIn = [limits.byAddress, authenticate(gateway.tokens), limits.byUser];
  const methods = new Map<string, string[]>();
  for (const operation of operations) {
    const path = expressPath(operation.path);
    methods.set(path, [...(methods.get(path) ?? []), operation.method.toUpperCase()]);
    app[operation.method](
      path,
      nameRoute(operation),
      ...(operation.access === 'open' ? [] : signedIn),
      ...guard(operation.access),
      ...(operation.body ? [json] : []),
      ...(operation.access === 'open' ? [] : requireSignature(gateway, operation.sensitive === true)),
      (request, response) => operation.run(gateway, request, response),
    );
  }
  for (const [path, allowed] of methods) app.all(path, otherMethod(allowed));
}

function nameRoute(operation: Operation): RequestHandler {
  return (request, _response, next) => {
    stateOf(request).route = operation.path;
    next();
  };
}

function otherMethod(allowed: readonly string[]): RequestHandler {
  const allow = (allowed.includes('GET') ? ['HEAD', ...allowed] : allowed).join(', ');
  return (request, response) => {
    response.setHeader('Allow', allow);
    if (request.method !== 'OPTIONS') throw new ManuelError('method_not_allowed', `Allowed here: ${allow}.`);
    response.status(204).end();
  };
}
