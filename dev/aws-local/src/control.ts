import type { ServerResponse } from 'node:http';
import { InvalidFault } from './chaos.ts';
import type { Chaos } from './chaos.ts';
import type { CallCounter } from './calls.ts';
import type { AwsRequest } from './service.ts';

/** What the paths under `/_` look at and change. */
export interface Controls {
  readonly chaos: Chaos;
  readonly calls: CallCounter;
  readonly messages: { list(): readonly unknown[]; clear(): void };
  /** Ids and addresses that clients of this process need. */
  readonly config: Readonly<Record<string, string>>;
}

/** Answers `/_chaos`, `/_calls`, `/_messages` and `/_config`. */
export async function handleControl(controls: Controls, request: AwsRequest, response: ServerResponse): Promise<void> {
  const [, resource = '', id] = request.path.split('/');
  switch (`${request.method} ${resource}`) {
    case 'GET _config':
      return sendJson(response, 200, controls.config);
    case 'GET _calls':
      return sendJson(response, 200, controls.calls.snapshot());
    case 'DELETE _calls':
      controls.calls.reset();
      return sendJson(response, 204);
    case 'GET _messages':
      return sendJson(response, 200, controls.messages.list());
    case 'DELETE _messages':
      controls.messages.clear();
      return sendJson(response, 204);
    case 'GET _chaos':
      return sendJson(response, 200, controls.chaos.list());
    case 'POST _chaos':
      return addFault(controls.chaos, request, response);
    case 'DELETE _chaos':
      if (id === undefined || id === '') controls.chaos.clear();
      else if (!controls.chaos.remove(id)) return sendJson(response, 404, { message: `there is no fault ${id}` });
      return sendJson(response, 204);
    default:
      return sendJson(response, 404, {
        message:
          'known are GET /_config, GET and DELETE /_calls, GET and DELETE /_messages, GET, POST and DELETE /_chaos, DELETE /_chaos/{id}',
      });
  }
}

async function addFault(chaos: Chaos, request: AwsRequest, response: ServerResponse): Promise<void> {
  try {
    const input: unknown = JSON.parse((await request.body()).toString('utf8'));
    return sendJson(response, 201, { id: chaos.add(input).id });
  } catch (error) {
    if (error instanceof InvalidFault) return sendJson(response, 400, { message: error.message });
    if (error instanceof SyntaxError) return sendJson(response, 400, { message: 'the body is not JSON' });
    throw error;
  }
}

export function sendJson(response: ServerResponse, status: number, body?: unknown): void {
  response.statusCode = status;
  if (body === undefined) {
    response.end();
    return;
  }
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify(body));
}
