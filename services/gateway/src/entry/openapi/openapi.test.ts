import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type ErrorCode, type JobView, type ManualView, errorCatalog } from '@manuel/contracts';
import type { RunningWorker } from '@manuel/queues';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { startQueryWorker } from '../../test-support/query-worker.ts';
import { type TestGateway, type TestWorld, startTestWorld } from '../../test-support/start-test-gateway.ts';
import { buildOpenApi, operations } from '../operations/index.ts';
import { errorsOf } from './describe-api.ts';

interface Content {
  readonly schema?: object;
  readonly example?: unknown;
  readonly examples?: Record<string, { value: unknown }>;
}
interface Described {
  readonly operationId: string;
  readonly requestBody?: { content: Record<string, Content> };
  readonly responses: Record<string, { content?: Record<string, Content> }>;
}
interface Document {
  readonly paths: Record<string, Record<string, Described>>;
  readonly components: { schemas: Record<string, object> };
}

// What describeApi makes; its shape is what this file tests.
const document = JSON.parse(JSON.stringify(buildOpenApi())) as Document;
const ajv = new Ajv2020({ strict: false, validateFormats: false });
ajv.addSchema({ $id: 'api', components: document.components });

const compiled = new Map<string, ValidateFunction>();

/** Faults of a value against a schema of the document; none when it fits. */
function faults(schema: object | undefined, value: unknown): unknown {
  if (!schema) return null;
  const text = JSON.stringify(schema).replaceAll('"#/', '"api#/');
  const validate = compiled.get(text) ?? ajv.compile(JSON.parse(text) as object);
  compiled.set(text, validate);
  return validate(value) ? null : validate.errors;
}

let world: TestWorld;
let gateway: TestGateway;
let worker: RunningWorker;

beforeAll(async () => {
  world = await startTestWorld(process.env);
  gateway = await world.gateway();
  worker = await startQueryWorker(gateway.gateway);
});
afterAll(async () => {
  await worker.close(1000);
  await world.close();
});

test('every example fits its schema', () => {
  for (const methods of Object.values(document.paths)) {
    for (const described of Object.values(methods)) {
      const { operationId } = described;
      const bodies = Object.entries(described.requestBody?.content ?? {});
      const answers = Object.values(described.responses).flatMap(({ content }) => Object.entries(content ?? {}));
      for (const [type, { schema, example, examples }] of [...bodies, ...answers]) {
        const values = [
          ...(example === undefined ? [] : [example]),
          ...Object.values(examples ?? {}).map(({ value }) => value),
        ];
        for (const value of values) {
          expect({ operationId, type, faults: faults(schema, value) }).toEqual({ operationId, type, faults: null });
        }
      }
    }
  }
});

test('every operation has a name of its own, an answer and its problems', () => {
  const names = operations.map(({ id }) => id);
  expect(new Set(names).size).toBe(names.length);
  for (const { id, answers, access } of operations) {
    expect([id, Object.keys(answers).length > 0]).toEqual([id, true]);
    if (access === 'open') continue;
    const { responses } = Object.values(document.paths)
      .flatMap(Object.values)
      .find(({ operationId }) => operationId === id) as Described;
    expect([id, Object.keys(responses)]).toEqual([id, expect.arrayContaining(['401', '429', '503'])]);
  }
});

type Call = readonly [id: string, send: () => Promise<Response>, expected: number | ErrorCode];

async function calls(): Promise<Call[]> {
  const as = async (email: string) => ({ authorization: `Bearer ${await world.token(email)}` });
  const [user, ops] = [await as('demo@example.com'), await as('ops@example.com')];
  const send =
    (headers: Record<string, string>) =>
    (method: string, path: string, body?: unknown, more: Record<string, string> = {}) =>
      fetch(gateway.url + path, {
        method,
        redirect: 'manual',
        headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...more },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
  const [mine, theirs, nobody] = [send(user), send(ops), send({})];
  const question = { question: 'How do I descale it?' };
  const ended = (await (await mine('POST', '/api/query', question)).json()) as JobView;
  await mine('GET', ended.links.self, undefined, { prefer: 'wait=10' });
  const content = Buffer.from('Press the button, then wait until the light is green.').toString('base64');
  const upload = { filename: 'a.txt', content_type: 'text/plain', content };
  await mine('POST', '/api/manuals/upload', upload);
  const { items } = (await (await mine('GET', '/api/manuals')).json()) as { items: ManualView[] };
  const manual = items[0]?.manual_id ?? '';
  const wav = Buffer.from('UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAIA+AAACABAAZGF0YQAAAAA=', 'base64');
  wav.writeUInt32LE(16_036, 4);
  wav.writeUInt32LE(16_000, 40);
  const audio_data = Buffer.concat([wav, Buffer.alloc(16_000)]).toString('base64');
  const sound = { audio_data, content_type: 'audio/wav' };
  const gone = '01KFA8Y6Z4M3T9V2R7B5C1D0EX';
  return [
    ['query', () => mine('POST', '/api/query', question), 202],
    ['query', () => mine('POST', '/api/query', question, { prefer: 'wait=10' }), 200],
    ['query', () => mine('POST', '/api/query', {}), 'validation_failed'],
    ['query', () => mine('POST', '/api/query', { ...question, priority: 'critical' }), 'forbidden'],
    ['query', () => mine('POST', '/api/query', { ...question, manual_ids: [`man_${gone}`] }), 'not_found'],
    ['query', () => nobody('POST', '/api/query', question), 'unauthenticated'],
    ['query', () => mine('POST', '/api/query', question, { 'content-type': 'text/plain' }), 'unsupported_media_type'],
    ['transcribe', () => mine('POST', '/api/transcribe', sound), 202],
    ['transcribe', () => mine('POST', '/api/transcribe', { ...sound, audio_data: 'AAAA' }), 'audio_unreadable'],
    ['voice', () => mine('POST', '/api/voice', sound), 202],
    ['listJobs', () => mine('GET', '/api/jobs?limit=2'), 200],
    ['listJobs', () => mine('GET', '/api/jobs?limit=0'), 'validation_failed'],
    ['getJob', () => mine('GET', ended.links.self), 200],
    ['getJob', () => mine('GET', `/api/jobs/query_${gone}`), 'not_found'],
    [
      'cancelJob',
      async () => {
        const job = (await (await mine('POST', '/api/transcribe', sound)).json()) as JobView;
        return mine('DELETE', job.links.self);
      },
      200,
    ],
    ['cancelJob', () => mine('DELETE', ended.links.self), 'conflict'],
    ['jobEvents', () => mine('GET', ended.links.events), 200],
    ['giveFeedback', () => mine('POST', '/api/feedback', { job_id: ended.id, rating: 'up' }), 200],
    ['giveFeedback', () => mine('POST', '/api/feedback', { job_id: ended.id, rating: 'meh' }), 'validation_failed'],
    ['announceUpload', () => mine('POST', '/api/uploads', { kind: 'audio', content_type: 'audio/wav', size: 9 }), 201],
    [
      'announceUpload',
      () => mine('POST', '/api/uploads', { kind: 'audio', content_type: 'audio/wav', size: 9e9 }),
      'payload_too_large',
    ],
    ['uploadManual', () => mine('POST', '/api/manuals/upload', upload), 202],
    ['uploadManual', () => mine('POST', '/api/manuals/upload', { source_url: 'ftp://example.com/a' }), 'fetch_refused'],
    ['listManuals', () => mine('GET', '/api/manuals'), 200],
    ['getManual', () => mine('GET', `/api/manuals/${manual}`), 200],
    ['getManual', () => mine('GET', '/api/manuals/x'), 'not_found'],
    ['openManual', () => mine('GET', `/api/manuals/${manual}/content`), 'conflict'],
    ['reindexManual', () => mine('POST', `/api/manuals/${manual}/reindex`), 202],
    ['deleteManual', () => mine('DELETE', `/api/manuals/${manual}`), 202],
    ['deleteManual', () => mine('DELETE', `/api/manuals/man_${gone}`), 'not_found'],
    ['getUsage', () => mine('GET', '/api/user/usage'), 200],
    ['getQuota', () => mine('GET', '/api/user/quota'), 200],
    ['getTicket', () => mine('POST', '/api/ws-ticket'), 200],
    ['opsHealth', () => theirs('GET', '/api/ops/health'), 200],
    ['opsHealth', () => mine('GET', '/api/ops/health'), 'forbidden'],
    ['listDeadLetters', () => theirs('GET', '/api/ops/dead-letters'), 200],
    ['resetBreaker', () => theirs('POST', '/api/ops/breakers/s3:PutObject/reset'), 200],
    ['resetBreaker', () => theirs('POST', '/api/ops/breakers/x/reset'), 'not_found'],
    ['invalidateCache', () => theirs('POST', '/api/ops/cache/invalidate', {}), 200],
    ['setQuota', () => theirs('PUT', '/api/ops/users/somebody/quota', { daily_limit: 5 }), 200],
    ['pauseQueue', () => theirs('POST', '/api/ops/queues/ingest/pause'), 200],
    ['resumeQueue', () => theirs('POST', '/api/ops/queues/ingest/resume'), 200],
    ['livez', () => nobody('GET', '/livez'), 200],
    ['readyz', () => nobody('GET', '/readyz'), 200],
    ['metrics', () => nobody('GET', '/metrics'), 200],
    ['config', () => nobody('GET', '/config.json'), 200],
    ['openapi', () => nobody('GET', '/openapi.json'), 200],
    ['docs', () => nobody('GET', '/docs'), 200],
  ];
}

test('every operation answers as it is described, errors included', async () => {
  const driven = new Set<string>();
  for (const [id, send, expected] of await calls()) {
    const operation = operations.find((candidate) => candidate.id === id);
    if (!operation) throw new Error(`there is no operation ${id}`);
    const described = document.paths[operation.path]?.[operation.method];
    const response = await send();
    const text = await response.text();
    const status = typeof expected === 'number' ? expected : errorCatalog[expected].status;
    expect({ id, status: response.status, text }).toEqual({ id, status, text });
    const answer = described?.responses[String(status)];
    expect([id, status, answer !== undefined]).toEqual([id, status, true]);
    const type = (response.headers.get('content-type') ?? '').split(';')[0] ?? '';
    if (answer?.content) expect([id, Object.keys(answer.content)]).toEqual([id, expect.arrayContaining([type])]);
    if (type.includes('json')) {
      const body: unknown = JSON.parse(text);
      expect({ id, faults: faults(answer?.content?.[type]?.schema, body) }).toEqual({ id, faults: null });
      if (typeof expected === 'string') {
        expect(body).toMatchObject({ code: expected });
        expect([id, errorsOf(operation)]).toEqual([id, expect.arrayContaining([expected])]);
      }
    }
    driven.add(id);
  }
  expect(operations.map(({ id }) => id).filter((id) => !driven.has(id))).toEqual([]);
});

test('the page shows every operation and runs no script', async () => {
  const page = await (await fetch(`${gateway.url}/docs`)).text();
  for (const { path, summary } of operations) {
    expect(page).toContain(`<code>${path}</code>`);
    expect(page).toContain(summary);
  }
  expect(page).not.toContain('<script');
});
