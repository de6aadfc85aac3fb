import type { ServerResponse } from 'node:http';
import { AwsError, type AwsRequest } from '../../service.ts';

/** An operation of a REST-JSON service: `{name}` in the path is any one segment; a slash at the end is optional. */
export interface Route {
  readonly operation: string;
  readonly method: string;
  readonly path: string;
}

export function findRoute(routes: readonly Route[], request: AwsRequest): Route | undefined {
  const segments = segmentsOf(request.path);
  return routes.find(({ method, path }) => {
    const pattern = segmentsOf(path);
    if (method !== request.method || pattern.length !== segments.length) return false;
    return pattern.every((part, index) => part.startsWith('{') || part === segments[index]);
  });
}

/** The path's named segments, decoded. */
export function pathParameters(route: Route, path: string): Readonly<Record<string, string>> {
  const segments = segmentsOf(path);
  const named = segmentsOf(route.path).map((part, index) => [part.slice(1, -1), part, segments[index] ?? ''] as const);
  return Object.fromEntries(
    named.filter(([, part]) => part.startsWith('{')).map(([name, , value]) => [name, decodeURIComponent(value)]),
  );
}

/** The JSON object in the body; an empty body is an empty object. */
export async function readJson(request: AwsRequest): Promise<Record<string, unknown>> {
  const body = (await request.body()).toString('utf8');
  if (body.trim() === '') return {};
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    throw new AwsError('SerializationException', 'The request body is not valid JSON.');
  }
  if (!isRecord(json)) throw new AwsError('SerializationException', 'The request body must be a JSON object.');
  return json;
}

export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A ValidationException in AWS's words. */
export function invalidValue(path: string, constraint: string): AwsError {
  return new AwsError(
    'ValidationException',
    `1 validation error detected: Value at '${path}' failed to satisfy constraint: ${constraint}`,
  );
}

function segmentsOf(path: string): string[] {
  return path.split('/').filter((part) => part !== '');
}
