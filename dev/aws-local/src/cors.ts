import type { ServerResponse } from 'node:http';
import type { AwsRequest } from './service.ts';

/**
 * Lets any page on this machine call any service: the browser uploads to S3 and signs in at Cognito.
 * Answers true when the request was a preflight and is dealt with.
 */
export function handleCors(request: AwsRequest, response: ServerResponse): boolean {
  const origin = request.headers.origin;
  if (origin === undefined) return false;
  response.setHeader('access-control-allow-origin', origin);
  response.setHeader('vary', 'Origin');
  response.setHeader(
    'access-control-expose-headers',
    'ETag, Content-Length, Content-Range, x-amz-request-id, x-amzn-requestid, x-amzn-errortype',
  );
  const method = request.headers['access-control-request-method'];
  if (request.method !== 'OPTIONS' || method === undefined) return false;
  response.setHeader('access-control-allow-methods', 'GET, HEAD, PUT, POST, DELETE');
  const headers = request.headers['access-control-request-headers'];
  if (headers !== undefined) response.setHeader('access-control-allow-headers', headers);
  response.setHeader('access-control-max-age', '3000');
  response.end();
  return true;
}
