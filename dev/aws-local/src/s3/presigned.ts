import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { AwsError } from '../service.ts';
import type { AwsRequest } from '../service.ts';

const maxExpirySeconds = 7 * 24 * 60 * 60;

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/**
 * Verifies a presigned request: signature over method, path, query and the signed headers (so an upload of another size or
 * type than was signed is refused), and expiry.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
 * Throws AuthorizationQueryParametersError (400), AccessDenied, InvalidAccessKeyId and SignatureDoesNotMatch (403).
 */
export function verifyPresigned(request: AwsRequest, credentials: Credentials, now = Date.now()): void {
  const parameter = (name: string): string => {
    const value = request.query.get(name);
    if (value !== null && value !== '') return value;
    throw badParameters(
      'Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.',
    );
  };
  if (parameter('X-Amz-Algorithm') !== 'AWS4-HMAC-SHA256')
    throw badParameters('X-Amz-Algorithm only supports "AWS4-HMAC-SHA256"');
  const [accessKeyId, ...scope] = parameter('X-Amz-Credential').split('/');
  const date = parameter('X-Amz-Date');
  const signedHeaders = parameter('X-Amz-SignedHeaders').split(';');
  const signature = parameter('X-Amz-Signature');
  checkExpiry(date, parameter('X-Amz-Expires'), now);
  if (accessKeyId !== credentials.accessKeyId) {
    throw new AwsError('InvalidAccessKeyId', 'The AWS Access Key Id you provided does not exist in our records.', 403);
  }
  const unsigned = Object.keys(request.headers).filter(
    (name) => name.startsWith('x-amz-') && !signedHeaders.includes(name),
  );
  if (unsigned.length > 0) {
    const message = `There were headers present in the request which were not signed: ${unsigned.join(', ')}`;
    throw new AwsError('AccessDenied', message, 403);
  }
  const stringToSign = [
    'AWS4-HMAC-SHA256',
    date,
    scope.join('/'),
    sha256(canonicalRequest(request, signedHeaders)),
  ].join('\n');
  const key = scope.reduce((secret: string | Buffer, part) => hmac(secret, part), `AWS4${credentials.secretAccessKey}`);
  if (!signedHeaders.includes('host') || !equal(hmac(key, stringToSign).toString('hex'), signature)) {
    throw new AwsError(
      'SignatureDoesNotMatch',
      'The request signature we calculated does not match the signature you provided. Check your key and signing method.',
      403,
    );
  }
}

function checkExpiry(date: string, expires: string, now: number): void {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(date);
  if (!match) throw badParameters("X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"");
  const signedAt = Date.parse(`${match[1]}-${match[2]}-${match[3]}T${match[4]}:${match[5]}:${match[6]}Z`);
  if (!/^\d+$/.test(expires)) throw badParameters('X-Amz-Expires should be a number');
  if (Number(expires) > maxExpirySeconds) {
    throw badParameters(
      'X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds',
    );
  }
  if (now > signedAt + Number(expires) * 1000) throw new AwsError('AccessDenied', 'Request has expired', 403);
}

function canonicalRequest(request: AwsRequest, signedHeaders: readonly string[]): string {
  const path = request.path
    .split('/')
    .map((segment) => encode(decodeURIComponent(segment)))
    .join('/');
  const query = [...request.query]
    .filter(([name]) => name !== 'X-Amz-Signature')
    .map(([name, value]) => [encode(name), encode(value)] as const)
    .sort(([nameA, valueA], [nameB, valueB]) => compare(nameA, nameB) || compare(valueA, valueB))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
  const headers = signedHeaders.map((name) => `${name}:${headerValue(request, name)}\n`).join('');
  const payload =
    request.query.get('X-Amz-Content-Sha256') ??
    (signedHeaders.includes('x-amz-content-sha256')
      ? headerValue(request, 'x-amz-content-sha256')
      : 'UNSIGNED-PAYLOAD');
  return [request.method, path, query, headers, signedHeaders.join(';'), payload].join('\n');
}

function headerValue(request: AwsRequest, name: string): string {
  const value = request.headers[name];
  return (Array.isArray(value) ? value.join(',') : (value ?? '')).trim().replace(/ +/g, ' ');
}

/** RFC 3986: everything but unreserved characters. */
function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

function equal(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
}

function badParameters(message: string): AwsError {
  return new AwsError('AuthorizationQueryParametersError', message);
}
