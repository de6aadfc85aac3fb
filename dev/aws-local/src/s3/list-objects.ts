import { AwsError } from '../service.ts';
import { element } from '../xml.ts';
import type { ObjectStore, StoredObject } from './object-store.ts';

const maxPage = 1000;
const namespace = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"';

/** ListObjectsV2, with prefix, delimiter, start-after and continuation. Throws InvalidArgument. */
export function listObjectsV2(store: ObjectStore, bucket: string, query: URLSearchParams): string {
  const prefix = query.get('prefix') ?? '';
  const delimiter = query.get('delimiter') ?? '';
  const limit = pageSize(query.get('max-keys'));
  const token = query.get('continuation-token');
  const startAfter = query.get('start-after') ?? '';
  const after = token === null ? startAfter : readToken(token);
  const page = pageOf(store.list(bucket, prefix), prefix, delimiter, after, limit);
  const encode = query.get('encoding-type') === 'url' ? encodeURIComponent : (text: string): string => text;
  return [
    `<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult ${namespace}>`,
    element('Name', bucket),
    element('Prefix', encode(prefix)),
    element('Delimiter', delimiter === '' ? undefined : encode(delimiter)),
    element('MaxKeys', limit),
    element('KeyCount', page.objects.length + page.prefixes.length),
    element('IsTruncated', page.last !== undefined),
    element('ContinuationToken', token ?? undefined),
    element(
      'NextContinuationToken',
      page.last === undefined ? undefined : Buffer.from(page.last).toString('base64url'),
    ),
    element('StartAfter', startAfter === '' ? undefined : startAfter),
    ...page.objects.map((object) => contents(object, encode)),
    ...page.prefixes.map((common) => `<CommonPrefixes>${element('Prefix', encode(common))}</CommonPrefixes>`),
    '</ListBucketResult>',
  ].join('');
}

interface Page {
  readonly objects: readonly StoredObject[];
  readonly prefixes: readonly string[];
  /** The last key or common prefix of a page that has a successor. */
  readonly last?: string;
}

function pageOf(all: readonly StoredObject[], prefix: string, delimiter: string, after: string, limit: number): Page {
  if (limit === 0) return { objects: [], prefixes: [] };
  const objects: StoredObject[] = [];
  const prefixes = new Set<string>();
  let last = '';
  for (const object of all) {
    const cut = delimiter === '' ? -1 : object.key.indexOf(delimiter, prefix.length);
    const entry = cut < 0 ? object.key : object.key.slice(0, cut + delimiter.length);
    if (Buffer.compare(Buffer.from(entry), Buffer.from(after)) <= 0 || prefixes.has(entry)) continue;
    if (objects.length + prefixes.size === limit) return { objects, prefixes: [...prefixes], last };
    if (cut < 0) objects.push(object);
    else prefixes.add(entry);
    last = entry;
  }
  return { objects, prefixes: [...prefixes] };
}

function contents(object: StoredObject, encode: (text: string) => string): string {
  return (
    `<Contents>${element('Key', encode(object.key))}${element('LastModified', object.lastModified)}` +
    `${element('ETag', `"${object.etag}"`)}${element('Size', object.size)}<StorageClass>STANDARD</StorageClass></Contents>`
  );
}

function pageSize(text: string | null): number {
  if (text === null) return maxPage;
  if (!/^\d+$/.test(text))
    throw new AwsError('InvalidArgument', 'Provided max-keys not an integer or within integer range');
  return Math.min(Number(text), maxPage);
}

function readToken(token: string): string {
  const key = Buffer.from(token, 'base64url').toString('utf8');
  if (key === '') throw new AwsError('InvalidArgument', 'The continuation token provided is incorrect');
  return key;
}
