import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { handleControl, sendJson } from './control.ts';
import type { Controls } from './control.ts';
import { handleCors } from './cors.ts';
import { findDestination, signingNameOf } from './dispatch.ts';
import type { Services } from './dispatch.ts';
import { writeError } from './errors.ts';
import { applyFault } from './faults.ts';
import { toAwsRequest, withForm } from './request.ts';
import { AwsError } from './service.ts';
import type { AwsRequest, AwsService } from './service.ts';

/** Longer than any client's own keep-alive, so that it is always the client that closes an idle connection. */
const keepAliveMs = 65_000;

export interface Application {
  readonly services: Services;
  readonly controls: Controls;
  log(message: string, fields?: Record<string, unknown>): void;
}

/** The one HTTP server. Requests that come before `application` is there wait for it. */
export function createAwsServer(application: Promise<Application>): Server {
  let ready = false;
  application.then(
    () => (ready = true),
    () => (ready = false), // whoever started the server gets the reason
  );
  const server = createServer({ keepAliveTimeout: keepAliveMs, requestTimeout: 0 }, (raw, response) => {
    if (!ready && (raw.url === '/readyz' || raw.url === '/livez')) {
      sendJson(response, raw.url === '/livez' ? 200 : 503, { status: 'starting' });
      return;
    }
    application
      .then((app) => handleRequest(app, raw, response))
      .catch((error: unknown) => {
        if (!response.headersSent) response.statusCode = 500;
        response.end();
        process.emitWarning(error instanceof Error ? error : String(error));
      });
  });
  return server;
}

async function handleRequest(app: Application, raw: IncomingMessage, response: ServerResponse): Promise<void> {
  const received = toAwsRequest(raw, response);
  if (handleCors(received, response)) return;
  if (signingNameOf(received) === undefined) {
    if (received.path === '/livez' || received.path === '/readyz') return sendJson(response, 200, { status: 'ok' });
    if (received.path.startsWith('/_')) return handleControl(app.controls, received, response);
  }
  const requestId = randomUUID();
  response.setHeader('x-amzn-requestid', requestId);
  const request = signingNameOf(received) === 'sns' ? await withForm(received) : received;
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
    if (request.signal.aborted) return;
    if (error instanceof AwsError) return writeError(response, service.errorProtocol, error, requestId);
    app.log('request failed', {
      service: service.name,
      operation,
      error: error instanceof Error ? error.stack : String(error),
    });
    const internal = new AwsError(
      service.errorProtocol === 's3-xml' ? 'InternalError' : 'InternalServerException',
      'An internal error occurred in aws-local; its log has the reason.',
      500,
    );
    writeError(response, service.errorProtocol, internal, requestId);
  }
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
