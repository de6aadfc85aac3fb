import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { handleControl, sendJson } from './control.ts';
import type { Controls } from './control.ts';
import { handleCors } from './cors.ts';
import { findDestination, signingNameOf } from './dispatch.ts';
import type { Services } from './dispatch.ts';
import { writeError } from './errors.ts';
import { applyFault } from './faults.ts';
import { toAwsRequest, withForm } from './request.ts';
import { AwsError } from './service.ts';
import type { AwsRequest, AwsService, ErrorProtocol } from './service.ts';

export interface Application {
  readonly services: Services;
  readonly controls: Controls;
  log(message: string, fields?: Record<string, unknown>): void;
}

/** Answers every request of the port. Those that come before `application` is there wait for it. */
export function createHandler(
  application: Promise<Application>,
): (raw: IncomingMessage, response: ServerResponse) => void {
  let ready = false;
  application.then(
    () => (ready = true),
    () => undefined, // whoever started the server gets the reason
  );
  return (raw, response) => {
    if (!ready && (raw.url === '/readyz' || raw.url === '/livez')) {
      sendJson(response, raw.url === '/livez' ? 200 : 503, { status: 'starting' });
      return;
    }
    application.then(
      (app) => handleRequest(app, toAwsRequest(raw, response), response),
      () => response.destroy(),
    );
  };
}

async function handleRequest(app: Application, request: AwsRequest, response: ServerResponse): Promise<void> {
  const signingName = signingNameOf(request);
  const requestId = randomUUID();
  try {
    if (handleCors(request, response)) return;
    if (signingName === undefined && request.path.startsWith('/_')) {
      return await handleControl(app.controls, request, response);
    }
    if (signingName === undefined && (request.path === '/livez' || request.path === '/readyz')) {
      return sendJson(response, 200, { status: 'ok' });
    }
    response.setHeader('x-amzn-requestid', requestId);
    await route(app, signingName === 'sns' ? await withForm(request) : request, response, requestId);
  } catch (error) {
    writeFailure(
      app,
      signingName === 's3' ? 's3-xml' : signingName === 'sns' ? 'query-xml' : 'rest-json',
      error,
      request,
      response,
      requestId,
    );
  }
}

async function route(
  app: Application,
  request: AwsRequest,
  response: ServerResponse,
  requestId: string,
): Promise<void> {
  const destination = findDestination(app.services, request);
  switch (destination.kind) {
    case 'operation':
      return serve(app, destination.service, destination.operation, request, response, requestId);
    case 'unknown-operation':
      return writeError(
        response,
        destination.service.errorProtocol,
        unknownOperation(destination.service, request),
        requestId,
      );
    case 'unknown-service': {
      const error = new AwsError(
        'UnknownOperationException',
        `aws-local does not serve ${destination.signingName}.`,
        404,
      );
      return writeError(response, 'rest-json', error, requestId);
    }
    case 'unsigned':
      return writeUnsigned(request, response, requestId);
  }
}

async function serve(
  app: Application,
  service: AwsService,
  operation: string,
  request: AwsRequest,
  response: ServerResponse,
  requestId: string,
): Promise<void> {
  app.controls.calls.count(service.name, operation);
  try {
    const fault = app.controls.chaos.draw(service.name, operation);
    if (fault && (await applyFault(fault, request, response)) === 'done') return;
    await service.handle(operation, request, response);
  } catch (error) {
    writeFailure(app, service.errorProtocol, error, request, response, requestId);
  }
}

/** A client that has left gets nothing; an AwsError goes out as it is; anything else is logged and becomes a 500. */
function writeFailure(
  app: Application,
  protocol: ErrorProtocol,
  error: unknown,
  request: AwsRequest,
  response: ServerResponse,
  requestId: string,
): void {
  if (request.signal.aborted) return;
  if (error instanceof AwsError) return writeError(response, protocol, error, requestId);
  app.log('request failed', {
    request: `${request.method} ${request.path}`,
    target: request.headers['x-amz-target'],
    error: error instanceof Error ? error.stack : String(error),
  });
  const code = protocol === 's3-xml' ? 'InternalError' : 'InternalServerException';
  writeError(
    response,
    protocol,
    new AwsError(code, 'An internal error occurred in aws-local; its log has the reason.', 500),
    requestId,
  );
}

function unknownOperation(service: AwsService, request: AwsRequest): AwsError {
  const what = request.headers['x-amz-target'] ?? `${request.method} ${request.path}`;
  return new AwsError(
    service.errorProtocol === 's3-xml' ? 'NotImplemented' : 'UnknownOperationException',
    `aws-local does not implement ${String(what)} of ${service.name}.`,
    service.errorProtocol === 's3-xml' ? 501 : service.errorProtocol === 'rest-json' ? 404 : 400,
  );
}

/** S3 answers an anonymous request in its own words; the JSON services in theirs. */
function writeUnsigned(request: AwsRequest, response: ServerResponse, requestId: string): void {
  const json =
    request.headers['x-amz-target'] !== undefined || request.headers['content-type']?.includes('json') === true;
  const error = json
    ? new AwsError('MissingAuthenticationTokenException', 'Missing Authentication Token', 403)
    : new AwsError('AccessDenied', 'Access Denied: the request is not signed.', 403);
  writeError(response, json ? 'aws-json-1.1' : 's3-xml', error, requestId);
}
