import { type ErrorCode, errorCatalog, problemSchema, toProblem, ManuelError } from '@manuel/contracts';
import type { AcceptedHeader, Answer, Operation } from '../operation.ts';
import { jsonSchema } from './json-schema.ts';

type Json = Record<string, unknown>;

const headerFacts: Record<AcceptedHeader, { description: string; schema: Json; example: string }> = {
  Prefer: {
    description: '`wait=N` (1 to 30): wait that many seconds for the end before answering',
    schema: { type: 'string' },
    example: 'wait=30',
  },
  'Idempotency-Key': {
    description: '1 to 255 visible ASCII characters: the same key and body give the same job again, for 24 hours',
    schema: { type: 'string', minLength: 1, maxLength: 255 },
    example: '5f0c0f9e-1c59-4f9b-8a53-0f7f6f3e2f11',
  },
  'Last-Event-ID': {
    description: 'Resume after this event',
    schema: { type: 'string', pattern: '^\\d{1,16}-\\d{1,16}$' },
    example: '1773480413589-0',
  },
};

/** The problems that an operation can answer with: its own and those that its access and input bring along. */
export function errorsOf(operation: Operation): ErrorCode[] {
  const codes = new Set<ErrorCode>(operation.errors);
  if (operation.access !== 'open') {
    for (const code of ['unauthenticated', 'rate_limited', 'ip_not_allowed', 'unavailable', 'internal'] as const)
      codes.add(code);
  }
  if (operation.access === 'operator' || operation.access === 'viewer') codes.add('forbidden');
  if (operation.sensitive) codes.add('signature_invalid');
  if (operation.params) codes.add('not_found');
  if (operation.query || operation.body || operation.accepts) codes.add('validation_failed');
  if (operation.body) codes.add('payload_too_large').add('unsupported_media_type');
  return [...codes];
}

function problemAnswers(operation: Operation): Json {
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of errorsOf(operation)) {
    const { status } = errorCatalog[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return Object.fromEntries(
    [...byStatus].map(([status, codes]) => [
      String(status),
      {
        description: codes.map((code) => `\`${code}\`: ${errorCatalog[code].title}`).join('; '),
        content: {
          'application/problem+json': {
            schema: { $ref: '#/components/schemas/Problem' },
            examples: Object.fromEntries(codes.map((code) => [code, { value: exampleProblem(code) }])),
          },
        },
      },
    ]),
  );
}

const exampleProblem = (code: ErrorCode): Json => ({
  ...toProblem(new ManuelError(code, `${errorCatalog[code].title}.`), '0b7f1f0e-2f0a-4a53-9a56-6d9f3e1c7a10'),
  ...(code === 'validation_failed' ? { errors: [{ path: 'question', message: 'is missing' }] } : {}),
});

function answerOf(answer: Answer): Json {
  const headers = Object.entries(answer.headers ?? {}).map(([name, description]) => [
    name,
    { description, schema: { type: 'string' } },
  ]);
  const type = answer.contentType ?? (answer.schema ? 'application/json' : undefined);
  const schema = answer.schema ? { schema: jsonSchema(answer.schema, 'output') } : {};
  const example = answer.example === undefined ? {} : { example: answer.example };
  return {
    description: answer.description,
    ...(headers.length === 0 ? {} : { headers: Object.fromEntries(headers) as Json }),
    ...(type === undefined ? {} : { content: { [type]: { ...schema, ...example } } }),
  };
}

function parametersOf(operation: Operation): Json[] {
  const from = (schema: Operation['params'], place: 'path' | 'query'): Json[] => {
    if (!schema) return [];
    const { properties = {}, required = [] } = jsonSchema(schema, 'input') as {
      properties?: Record<string, Json>;
      required?: string[];
    };
    return Object.entries(properties).map(([name, property]) => ({
      name,
      in: place,
      required: place === 'path' || required.includes(name),
      schema: property,
    }));
  };
  const headers = (operation.accepts ?? []).map((name) => ({
    name,
    in: 'header',
    required: false,
    ...headerFacts[name],
  }));
  return [...from(operation.params, 'path'), ...from(operation.query, 'query'), ...headers];
}

const formSchema: Json = {
  type: 'object',
  required: ['file'],
  properties: {
    file: { type: 'string', contentMediaType: 'application/octet-stream' },
    filename: { type: 'string' },
    replaces: { type: 'string' },
    priority: { type: 'string' },
    expires_in_s: { type: 'string' },
  },
};

function bodyOf(operation: Operation): Json {
  if (!operation.body) return {};
  const json = {
    schema: jsonSchema(operation.body, 'input'),
    ...(operation.bodyExample === undefined ? {} : { example: operation.bodyExample }),
  };
  const form = operation.multipart ? { 'multipart/form-data': { schema: formSchema } } : {};
  return { requestBody: { required: true, content: { 'application/json': json, ...form } } };
}

const accessNotes: Record<Operation['access'], string> = {
  open: '',
  user: '',
  viewer: 'For groups `ops` and `ops-viewer`.',
  operator: 'For group `ops`.',
};

function describeOperation(operation: Operation): Json {
  const description = [operation.description, accessNotes[operation.access]].filter(Boolean).join(' ');
  const parameters = parametersOf(operation);
  const answers = Object.entries(operation.answers).map(([status, answer]) => [status, answerOf(answer)]);
  return {
    operationId: operation.id,
    tags: [operation.tag],
    summary: operation.summary,
    ...(description === '' ? {} : { description }),
    security: operation.access === 'open' ? [] : [{ accessToken: [] }],
    ...(parameters.length === 0 ? {} : { parameters }),
    ...bodyOf(operation),
    responses: { ...problemAnswers(operation), ...(Object.fromEntries(answers) as Json) },
  };
}

/** The OpenAPI 3.1 document of a table of operations. */
export function describeApi(operations: readonly Operation[]): Json {
  const paths: Record<string, Json> = {};
  for (const operation of operations) {
    paths[operation.path] = { ...paths[operation.path], [operation.method]: describeOperation(operation) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Manuel',
      version: '1.0.0',
      description:
        'Ask your product manuals, by voice or text, and get an answer that cites the page. Bodies are JSON in snake_case, times RFC 3339 in UTC, errors RFC 9457 problems. Every answer bears X-Request-Id.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    tags: [...new Set(operations.map(({ tag }) => tag))].map((name) => ({ name })),
    paths,
    components: {
      schemas: { Problem: jsonSchema(problemSchema, 'output') },
      securitySchemes: {
        accessToken: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'A Cognito access token' },
      },
    },
  };
}
