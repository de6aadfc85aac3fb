import { AwsError } from '../../service.ts';
import { SIDECAR_SUFFIX } from '../ingest/read-sidecar.ts';
import { parseS3Uri } from '../ingest/s3-uri.ts';
import { readToken, writeToken } from './page-token.ts';
import { invalidValue, isRecord } from './rest-json.ts';

/** Bedrock's limit of IngestKnowledgeBaseDocuments, GetKnowledgeBaseDocuments and DeleteKnowledgeBaseDocuments. */
const MAX_DOCUMENTS = 25;
const MAX_PAGE = 1_000;
const DEFAULT_PAGE = 100;

type Body = Readonly<Record<string, unknown>>;

export interface DocumentToIngest {
  readonly uri: string;
  readonly metadataUri: string;
}

/** The `documents` of IngestKnowledgeBaseDocuments. An S3 data source takes no other kind and no inline metadata. */
export function parseDocuments(body: Body): DocumentToIngest[] {
  return readList(body, 'documents').map((document, index) => {
    const path = `documents.${index + 1}.member`;
    if (!isRecord(document) || !isRecord(document['content']))
      throw invalidValue(`${path}.content`, 'Member must not be null');
    const { content, metadata } = document;
    requireS3(content, `${path}.content`);
    const s3 = isRecord(content['s3']) ? content['s3']['s3Location'] : undefined;
    const uri = readUri(s3, `${path}.content.s3.s3Location`);
    return {
      uri,
      metadataUri: metadata === undefined ? `${uri}${SIDECAR_SUFFIX}` : readMetadata(metadata, `${path}.metadata`),
    };
  });
}

/** The uris of `documentIdentifiers`. */
export function parseDocumentIdentifiers(body: Body): string[] {
  return readList(body, 'documentIdentifiers').map((identifier, index) => {
    const path = `documentIdentifiers.${index + 1}.member`;
    if (!isRecord(identifier)) throw invalidValue(path, 'Member must not be null');
    requireS3(identifier, path);
    return readUri(identifier['s3'], `${path}.s3`);
  });
}

/** Cuts a page out of a list as `maxResults` and `nextToken` say. */
export function parsePage<T>(body: Body, items: readonly T[]): { items: readonly T[]; next: { nextToken?: string } } {
  const size = body['maxResults'] ?? DEFAULT_PAGE;
  if (typeof size !== 'number' || !Number.isInteger(size) || size < 1 || size > MAX_PAGE) {
    throw invalidValue('maxResults', `Member must be between 1 and ${MAX_PAGE}`);
  }
  const start = readToken(body['nextToken']);
  const end = start + size;
  return {
    items: items.slice(start, end),
    next: end < items.length ? { nextToken: writeToken(end) } : {},
  };
}

export function readOptionalString(body: Body, name: string, maxLength: number): string | undefined {
  const value = body[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string' || value.length < 1 || value.length > maxLength) {
    throw invalidValue(name, `Member must have length between 1 and ${maxLength}`);
  }
  return value;
}

function readList(body: Body, name: string): readonly unknown[] {
  const list = body[name];
  if (!Array.isArray(list)) throw invalidValue(name, 'Member must not be null');
  if (list.length < 1) throw invalidValue(name, 'Member must have length greater than or equal to 1');
  if (list.length > MAX_DOCUMENTS)
    throw invalidValue(name, `Member must have length less than or equal to ${MAX_DOCUMENTS}`);
  return list;
}

function requireS3(holder: Readonly<Record<string, unknown>>, path: string): void {
  const type = holder['dataSourceType'];
  if (type !== 'S3' && type !== 'CUSTOM') {
    throw invalidValue(`${path}.dataSourceType`, 'Member must satisfy enum value set: [CUSTOM, S3]');
  }
  if (type !== 'S3') {
    throw new AwsError(
      'ValidationException',
      'The dataSourceType must match the type of the data source, which is S3.',
    );
  }
}

function readMetadata(metadata: unknown, path: string): string {
  if (!isRecord(metadata)) throw invalidValue(path, 'Member must be an object');
  if (metadata['type'] === 'IN_LINE_ATTRIBUTE') {
    throw new AwsError(
      'ValidationException',
      'Documents of an S3 data source take their metadata from a file in S3, not inline.',
    );
  }
  if (metadata['type'] !== 'S3_LOCATION') {
    throw invalidValue(`${path}.type`, 'Member must satisfy enum value set: [IN_LINE_ATTRIBUTE, S3_LOCATION]');
  }
  return readUri(metadata['s3Location'], `${path}.s3Location`);
}

function readUri(location: unknown, path: string): string {
  const uri = isRecord(location) ? location['uri'] : undefined;
  if (typeof uri !== 'string') throw invalidValue(`${path}.uri`, 'Member must not be null');
  if (parseS3Uri(uri) === undefined)
    throw invalidValue(`${path}.uri`, 'Member must satisfy regular expression pattern: s3://.{1,128}');
  return uri;
}

const CLIENT_TOKEN = /^(?=.{33,256}$)[a-zA-Z0-9](?:-*[a-zA-Z0-9])*$/;

/** The `clientToken` that makes a request happen once; the SDK makes one for each call. */
export function readClientToken(body: Body): string | undefined {
  const token = body['clientToken'];
  if (token === undefined || token === null) return undefined;
  if (typeof token !== 'string' || !CLIENT_TOKEN.test(token)) {
    throw invalidValue(
      'clientToken',
      'Member must have length between 33 and 256 and hold letters, digits and hyphens',
    );
  }
  return token;
}

/** Filters and order of ListIngestionJobs. */
export function parseJobList(body: Body): { statuses: ReadonlySet<string> | undefined; ascending: boolean } {
  const { filters, sortBy } = body;
  const [filter] = Array.isArray(filters) ? (filters as unknown[]) : [];
  if (filters !== undefined && (!Array.isArray(filters) || filters.length !== 1 || !isStatusFilter(filter))) {
    throw invalidValue('filters', 'Member must be one {attribute: STATUS, operator: EQ, values}');
  }
  if (sortBy !== undefined && (!isRecord(sortBy) || sortBy['attribute'] !== 'STARTED_AT')) {
    throw invalidValue('sortBy.attribute', 'Member must satisfy enum value set: [STARTED_AT]');
  }
  return {
    statuses: isStatusFilter(filter) ? new Set(filter.values) : undefined,
    ascending: isRecord(sortBy) && sortBy['order'] === 'ASCENDING',
  };
}

function isStatusFilter(filter: unknown): filter is { values: string[] } {
  return (
    isRecord(filter) &&
    filter['attribute'] === 'STATUS' &&
    filter['operator'] === 'EQ' &&
    Array.isArray(filter['values']) &&
    filter['values'].length > 0
  );
}
