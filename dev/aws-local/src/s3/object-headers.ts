import { AwsError } from '../service.ts';
import type { AwsRequest } from '../service.ts';
import { checkEncryption, type Encryption, encryptionHeaders } from './encryption.ts';

const kept = [
  'content-type',
  'content-disposition',
  'content-encoding',
  'content-language',
  'cache-control',
  'expires',
];
const maxMetadataBytes = 2048;

/** A header, or the query parameter of the same name into which a presigned link moved it. */
export function headerOf(request: AwsRequest, name: string): string | undefined {
  const value = request.headers[name];
  if (typeof value === 'string') return value;
  if (!name.startsWith('x-amz-')) return undefined;
  for (const [parameter, hoisted] of request.query) if (parameter.toLowerCase() === name) return hoisted;
  return undefined;
}

/** What an upload tells us to answer with later, encrypted as the bucket is unless it says otherwise. Throws InvalidArgument, MetadataTooLarge. */
export function objectHeaders(request: AwsRequest, byDefault: Encryption): Record<string, string> {
  const headers: Record<string, string> = { 'content-type': 'binary/octet-stream' };
  for (const name of kept) {
    const value = headerOf(request, name);
    if (value !== undefined) headers[name] = value;
  }
  const encoding = headers['content-encoding']
    ?.split(',')
    .map((part) => part.trim())
    .filter((part) => part !== 'aws-chunked');
  if (encoding) headers['content-encoding'] = encoding.join(',');
  if (headers['content-encoding'] === '') delete headers['content-encoding'];
  Object.assign(headers, userMetadata(request), encryptionHeaders(encryption(request, byDefault)));
  return headers;
}

function userMetadata(request: AwsRequest): Record<string, string> {
  const metadata: Record<string, string> = {};
  const add = (name: string, value: string): void => {
    if (name.startsWith('x-amz-meta-')) metadata[name] = value;
  };
  for (const [name, value] of request.query) add(name.toLowerCase(), value);
  for (const [name, value] of Object.entries(request.headers)) if (typeof value === 'string') add(name, value);
  const bytes = Object.entries(metadata).reduce(
    (sum, [name, value]) => sum + name.length - 'x-amz-meta-'.length + Buffer.byteLength(value),
    0,
  );
  if (bytes > maxMetadataBytes)
    throw new AwsError('MetadataTooLarge', 'Your metadata headers exceed the maximum allowed metadata size');
  return metadata;
}

function encryption(request: AwsRequest, byDefault: Encryption): Encryption {
  const algorithm = headerOf(request, 'x-amz-server-side-encryption');
  const keyId = headerOf(request, 'x-amz-server-side-encryption-aws-kms-key-id');
  if (algorithm === undefined && keyId === undefined) return byDefault;
  return checkEncryption({ algorithm: algorithm ?? 'AES256', ...(keyId === undefined ? {} : { keyId }) });
}

/** The part of an object's headers that the answer to an upload repeats. */
export function uploadAnswerHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).filter(
      ([name]) => name.startsWith('x-amz-server-side') || name.startsWith('x-amz-checksum-'),
    ),
  );
}
