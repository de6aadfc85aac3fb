import type { Metadata, MetadataValue } from '../types.ts';

/** Bedrock's limit for a metadata file. */
export const MAX_SIDECAR_BYTES = 10 * 1024;

export const SIDECAR_SUFFIX = '.metadata.json';

/**
 * Reads a metadata sidecar, `{"metadataAttributes": {name: value}}`, where a value is a string, number, boolean, list of
 * strings, or the long form `{value: {type, stringValue, ...}, includeForEmbedding}`.
 * Throws an Error whose message says what is wrong with the file.
 */
export function parseSidecar(bytes: Buffer): Metadata {
  if (bytes.length > MAX_SIDECAR_BYTES) {
    throw new Error(`The metadata file has ${bytes.length} bytes; at most ${MAX_SIDECAR_BYTES} are allowed.`);
  }
  const attributes = parseAttributes(bytes);
  const metadata: Record<string, MetadataValue> = Object.create(null) as Record<string, MetadataValue>;
  for (const [name, value] of Object.entries(attributes)) {
    const parsed = isLongForm(value) ? parseLongForm(value.value) : value;
    if (!isMetadataValue(parsed)) {
      throw new Error(`The metadata attribute "${name}" must be a string, number, boolean or list of strings.`);
    }
    metadata[name] = parsed;
  }
  return metadata;
}

function parseAttributes(bytes: Buffer): Record<string, unknown> {
  let json: unknown;
  try {
    json = JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    throw new Error('The metadata file is not valid JSON.', { cause });
  }
  if (!isRecord(json) || !isRecord(json['metadataAttributes'])) {
    throw new Error('The metadata file must be an object with a "metadataAttributes" object.');
  }
  return json['metadataAttributes'];
}

const LONG_FORM_FIELDS: Readonly<Record<string, string>> = {
  STRING: 'stringValue',
  NUMBER: 'numberValue',
  BOOLEAN: 'booleanValue',
  STRING_LIST: 'stringListValue',
};

function parseLongForm(value: Record<string, unknown>): unknown {
  const field = typeof value['type'] === 'string' ? LONG_FORM_FIELDS[value['type']] : undefined;
  return field === undefined ? undefined : value[field];
}

function isLongForm(value: unknown): value is { value: Record<string, unknown> } {
  return isRecord(value) && isRecord(value['value']);
}

function isMetadataValue(value: unknown): value is MetadataValue {
  if (Array.isArray(value)) return value.every((member) => typeof member === 'string');
  return typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
