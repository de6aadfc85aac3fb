import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Problem, problemSchema } from '@manuel/contracts';
import PDFDocument from 'pdfkit';
import { type TestGateway, type TestWorld, startTestWorld } from '../test-support/start-test-gateway.ts';

let world: TestWorld;
let gateway: TestGateway;
let token: string;

beforeAll(async () => {
  world = await startTestWorld(process.env);
  gateway = await world.gateway({ request: { max_size_mb: 10 }, ingest: { max_size_mb: 50 } });
  token = await world.token();
});
afterAll(() => world.close());

interface Wrong {
  readonly what: string;
  readonly method?: string;
  readonly path: string;
  readonly headers?: Record<string, string>;
  readonly body?: unknown;
  /** Instead of JSON. */
  readonly raw?: NonNullable<RequestInit['body']>;
  readonly status: number;
  readonly code: string;
  /** A field that the problem must name. */
  readonly field?: string;
}

async function send(wrong: Omit<Wrong, 'what' | 'status' | 'code'>): Promise<Response> {
  const body = wrong.raw ?? (wrong.body === undefined ? null : JSON.stringify(wrong.body));
  return fetch(`${gateway.url}${wrong.path}`, {
    method: wrong.method ?? 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      ...(wrong.raw === undefined ? { 'content-type': 'application/json' } : {}),
      ...wrong.headers,
    },
    body,
  });
}

async function pdf(
  build: (document: PDFKit.PDFDocument) => void,
  options: PDFKit.PDFDocumentOptions = {},
): Promise<Buffer> {
  const document = new PDFDocument(options);
  const chunks: Buffer[] = [];
  document.on('data', (chunk: Buffer) => chunks.push(chunk));
  const ended = new Promise((resolve) => document.on('end', resolve));
  build(document);
  document.end();
  await ended;
  return Buffer.concat(chunks);
}

/** A second of silence, 8 kHz, 16 bits. */
function wav(seconds = 1): Buffer {
  const header = Buffer.alloc(44);
  const bytes = 16_000 * seconds;
  header.write('RIFF', 0);
  header.writeUInt32LE(36 + bytes, 4);
  header.write('WAVEfmt ', 8);
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(1, 22);
  header.writeUInt32LE(8000, 24);
  header.writeUInt32LE(16_000, 28);
  header.writeUInt16LE(2, 32);
  header.writeUInt16LE(16, 34);
  header.write('data', 36);
  header.writeUInt32LE(bytes, 40);
  return Buffer.concat([header, Buffer.alloc(bytes)]);
}

const query = (body: unknown, rest: Partial<Wrong> = {}): Omit<Wrong, 'what'> => ({
  path: '/api/query',
  body,
  status: 400,
  code: 'validation_failed',
  ...rest,
});
const ok = { question: 'How do I descale it?' };
const ulid = '01KFA8Y6Z4M3T9V2R7B5C1D0EX';

const manual = (content: Buffer | string, rest: Partial<Wrong> = {}): Omit<Wrong, 'what'> => ({
  path: '/api/manuals/upload',
  body: {
    filename: 'manual.pdf',
    content_type: 'application/pdf',
    content: typeof content === 'string' ? content : content.toString('base64'),
  },
  status: 422,
  code: 'document_unreadable',
  ...rest,
});

const audio = (content: Buffer | string, rest: Partial<Wrong> = {}): Omit<Wrong, 'what'> => ({
  path: '/api/transcribe',
  body: {
    audio_data: typeof content === 'string' ? content : content.toString('base64'),
    content_type: 'audio/wav',
  },
  status: 422,
  code: 'audio_unreadable',
  ...rest,
});

async function wrongs(): Promise<Wrong[]> {
  const encrypted = await pdf((document) => document.text('Secret. '.repeat(50)), {
    userPassword: 'x',
    pdfVersion: '1.7',
  });
  const textless = await pdf((document) => document.rect(10, 10, 100, 100).fill('red'));
  const form = new FormData();
  form.append('file', new Blob(['Plug it in and press the button.']), 'a.txt');
  form.append('file', new Blob(['Unplug it and wait for a while.']), 'b.txt');
  const fields = new FormData();
  fields.append('priority', 'low');
  fields.append('priority', 'high');
  fields.append('file', new Blob(['Plug it in and press the button.']), 'a.txt');
  const nameless = new FormData();
  nameless.append('manual', new Blob(['Plug it in.']), 'a.txt');
  return [
    { what: 'an empty question', ...query({ question: '' }), field: 'question' },
    { what: 'a question of blanks', ...query({ question: ' \n\t ' }), field: 'question' },
    { what: 'a question of question marks', ...query({ question: '?'.repeat(1000) }), field: 'question' },
    { what: 'a question of 10,000 characters', ...query({ question: 'a'.repeat(10_000) }), field: 'question' },
    { what: 'a question of 2,001 characters', ...query({ question: 'a'.repeat(2001) }), field: 'question' },
    { what: 'a question that is a number', ...query({ question: 7 }), field: 'question' },
    { what: 'an unknown field', ...query({ ...ok, user_id: 'someone' }) },
    { what: 'an unknown persona', ...query({ ...ok, persona: 'pirate' }), field: 'persona' },
    { what: 'an unknown priority', ...query({ ...ok, priority: 'urgent' }), field: 'priority' },
    { what: 'priority critical', ...query({ ...ok, priority: 'critical' }), status: 403, code: 'forbidden' },
    { what: 'manual ids that are none', ...query({ ...ok, manual_ids: ['../etc/passwd'] }), field: 'manual_ids.0' },
    {
      what: 'a manual that nobody has',
      ...query({ ...ok, manual_ids: [`man_${ulid}`] }),
      status: 404,
      code: 'not_found',
    },
    { what: 'max_results of a thousand', ...query({ ...ok, max_results: 1000 }), field: 'max_results' },
    { what: 'a body that is a list', ...query([ok]) },
    { what: 'a body that is null', ...query(null) },
    { what: 'no body', path: '/api/query', status: 400, code: 'validation_failed' },
    {
      what: 'malformed JSON',
      path: '/api/query',
      raw: '{"question": ',
      headers: { 'content-type': 'application/json' },
      status: 400,
      code: 'validation_failed',
    },
    {
      what: 'JSON under another type',
      path: '/api/query',
      raw: JSON.stringify(ok),
      headers: { 'content-type': 'text/plain' },
      status: 415,
      code: 'unsupported_media_type',
    },
    { what: 'a form', path: '/api/query', raw: new URLSearchParams(ok), status: 415, code: 'unsupported_media_type' },
    {
      what: 'a body of 11 MB',
      path: '/api/query',
      raw: JSON.stringify({ question: 'a'.repeat(11 * 1024 * 1024) }),
      headers: { 'content-type': 'application/json' },
      status: 413,
      code: 'payload_too_large',
    },
    {
      what: 'a strange encoding',
      path: '/api/query',
      raw: 'x',
      headers: { 'content-type': 'application/json', 'content-encoding': 'pack200' },
      status: 415,
      code: 'unsupported_media_type',
    },
    {
      what: 'a body that is said to be gzip',
      path: '/api/query',
      raw: 'no gzip',
      headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' },
      status: 400,
      code: 'validation_failed',
    },
    { what: 'an empty Idempotency-Key', ...query(ok), headers: { 'idempotency-key': '' } },
    { what: 'an Idempotency-Key of 256 characters', ...query(ok), headers: { 'idempotency-key': 'k'.repeat(256) } },
    { what: 'an Idempotency-Key with blanks', ...query(ok), headers: { 'idempotency-key': 'a b' } },
    { what: 'a wait of 31 s', ...query(ok), headers: { prefer: 'wait=31' }, field: 'Prefer' },
    { what: 'a wait of -1 s', ...query(ok), headers: { prefer: 'wait=-1' }, field: 'Prefer' },
    { what: 'a wait of no number', ...query(ok), headers: { prefer: 'respond-async, wait=soon' }, field: 'Prefer' },
    { what: 'no base64', ...audio('this is not base64!'), status: 400, code: 'validation_failed', field: 'audio_data' },
    { what: 'half base64', ...audio('UklGRiQ'), status: 400, code: 'validation_failed', field: 'audio_data' },
    {
      what: 'neither data nor key',
      path: '/api/transcribe',
      body: { content_type: 'audio/wav' },
      status: 400,
      code: 'validation_failed',
    },
    {
      what: 'both data and key',
      path: '/api/transcribe',
      body: { audio_data: 'AAAA', audio_key: 'k', content_type: 'audio/wav' },
      status: 400,
      code: 'validation_failed',
    },
    {
      what: 'an unknown audio type',
      path: '/api/transcribe',
      body: { audio_data: 'AAAA', content_type: 'audio/midi' },
      status: 400,
      code: 'validation_failed',
      field: 'content_type',
    },
    ...['/api/transcribe', '/api/voice'].map((path) => ({
      what: `a language that nobody transcribes, ${path}`,
      path,
      body: { audio_data: wav().toString('base64'), content_type: 'audio/wav', language_code: 'xx-YY' },
      status: 400,
      code: 'validation_failed',
      field: 'language_code',
    })),
    { what: 'a text named audio', ...audio(Buffer.from('This is a text file with the name of a recording.')) },
    { what: 'a wav without sound', ...audio(wav(0)) },
    { what: 'a truncated wav', ...audio(wav(2).subarray(0, 20)) },
    { what: 'a recording of 61 s', ...audio(wav(61)), code: 'audio_too_long' },
    {
      what: 'a wav said to be mp3',
      path: '/api/transcribe',
      body: { audio_data: wav().toString('base64'), content_type: 'audio/mpeg' },
      status: 415,
      code: 'unsupported_media_type',
    },
    {
      what: 'a recording of nobody',
      path: '/api/voice',
      body: { audio_key: 'audio/someone/upl_01KFA8Y6Z4M3T9V2R7B5C1D0EX.wav', content_type: 'audio/wav' },
      status: 404,
      code: 'not_found',
    },
    {
      what: 'a recording by a path upwards',
      path: '/api/voice',
      body: { audio_key: '../../etc/passwd', content_type: 'audio/wav' },
      status: 404,
      code: 'not_found',
    },
    { what: 'an empty manual', ...manual(''), status: 400, code: 'validation_failed' },
    {
      what: 'a manual that is no base64',
      ...manual('%PDF-1.7'),
      status: 400,
      code: 'validation_failed',
      field: 'content',
    },
    { what: 'a PDF that is none', ...manual(Buffer.from('This is not a PDF at all.')) },
    { what: 'a PDF cut off in the middle', ...manual(encrypted.subarray(0, 200)) },
    { what: 'an encrypted PDF', ...manual(encrypted), code: 'document_encrypted' },
    { what: 'a PDF without text', ...manual(textless), code: 'document_without_text' },
    {
      what: 'a picture',
      ...manual(Buffer.from('89504e470d0a1a0a0000000d', 'hex')),
      status: 415,
      code: 'unsupported_media_type',
    },
    {
      what: 'two files in a form',
      path: '/api/manuals/upload',
      raw: form,
      status: 400,
      code: 'validation_failed',
      field: 'file',
    },
    {
      what: 'a field twice in a form',
      path: '/api/manuals/upload',
      raw: fields,
      status: 400,
      code: 'validation_failed',
      field: 'priority',
    },
    {
      what: 'a form without its file',
      path: '/api/manuals/upload',
      raw: nameless,
      status: 400,
      code: 'validation_failed',
    },
    {
      what: 'a form cut off mid-way',
      path: '/api/manuals/upload',
      raw: '--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nPlug it',
      headers: { 'content-type': 'multipart/form-data; boundary=b' },
      status: 400,
      code: 'validation_failed',
    },
    {
      what: 'a form without a boundary',
      path: '/api/manuals/upload',
      raw: 'x',
      headers: { 'content-type': 'multipart/form-data' },
      status: 400,
      code: 'validation_failed',
    },
    {
      what: 'an upload nobody announced',
      path: '/api/manuals/upload',
      body: { upload_id: `upl_${ulid}`, filename: 'a.pdf' },
      status: 404,
      code: 'not_found',
    },
    {
      what: 'an address with a password',
      path: '/api/manuals/upload',
      body: { source_url: 'https://a:b@example.com/m.pdf' },
      status: 422,
      code: 'fetch_refused',
      field: 'source_url',
    },
    {
      what: 'an address on port 22',
      path: '/api/manuals/upload',
      body: { source_url: 'http://example.com:22/m.pdf' },
      status: 422,
      code: 'fetch_refused',
    },
    {
      what: 'a file address',
      path: '/api/manuals/upload',
      body: { source_url: 'file:///etc/passwd' },
      status: 422,
      code: 'fetch_refused',
    },
    {
      what: 'an upload of 51 MB',
      path: '/api/uploads',
      body: { kind: 'manual', content_type: 'application/pdf', size: 51 * 1024 * 1024 },
      status: 413,
      code: 'payload_too_large',
    },
    {
      what: 'an upload of 0 bytes',
      path: '/api/uploads',
      body: { kind: 'manual', content_type: 'application/pdf', size: 0 },
      status: 400,
      code: 'validation_failed',
    },
    { what: 'a job id that is none', method: 'GET', path: '/api/jobs/..%2f..%2fetc', status: 404, code: 'not_found' },
    { what: 'a job that nobody has', method: 'GET', path: `/api/jobs/query_${ulid}`, status: 404, code: 'not_found' },
    { what: 'a cancel of nothing', method: 'DELETE', path: `/api/jobs/query_${ulid}`, status: 404, code: 'not_found' },
    {
      what: 'events of nothing',
      method: 'GET',
      path: `/api/jobs/query_${ulid}/events`,
      status: 404,
      code: 'not_found',
    },
    {
      what: 'a path that cannot be decoded',
      method: 'GET',
      path: '/api/jobs/%E0%A4%A',
      status: 400,
      code: 'validation_failed',
    },
    {
      what: 'a tampered cursor',
      method: 'GET',
      path: '/api/jobs?cursor=AAAAAA',
      status: 400,
      code: 'validation_failed',
    },
    {
      what: 'a tampered cursor of manuals',
      method: 'GET',
      path: '/api/manuals?cursor=eyJ1c2VyIjoieCJ9',
      status: 400,
      code: 'validation_failed',
    },
    {
      what: 'a page of 101',
      method: 'GET',
      path: '/api/jobs?limit=101',
      status: 400,
      code: 'validation_failed',
      field: 'limit',
    },
    { what: 'a page of none', method: 'GET', path: '/api/jobs?limit=0', status: 400, code: 'validation_failed' },
    {
      what: 'a status that is none',
      method: 'GET',
      path: '/api/jobs?status=done',
      status: 400,
      code: 'validation_failed',
    },
    {
      what: 'feedback on nothing',
      path: '/api/feedback',
      body: { job_id: `query_${ulid}`, rating: 'up' },
      status: 404,
      code: 'not_found',
    },
    { what: 'an unknown path', method: 'GET', path: '/api/nothing', status: 404, code: 'not_found' },
    { what: 'a wrong method', method: 'PUT', path: '/api/query', body: ok, status: 405, code: 'method_not_allowed' },
  ];
}

test('each wrong request gets its own problem, nothing is enqueued and nothing charged', async () => {
  for (const wrong of await wrongs()) {
    const response = await send(wrong);
    const text = await response.text();
    const problem = problemSchema.parse(JSON.parse(text));
    expect({ what: wrong.what, status: response.status, code: problem.code }).toEqual({
      what: wrong.what,
      status: wrong.status,
      code: wrong.code,
    });
    expect(response.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(problem.status).toBe(wrong.status);
    expect(problem.request_id).toBe(response.headers.get('x-request-id'));
    if (wrong.field !== undefined) {
      expect({ what: wrong.what, fields: problem.errors?.map(({ path }) => path) }).toEqual({
        what: wrong.what,
        fields: expect.arrayContaining([wrong.field]),
      });
    }
    expect(text).not.toMatch(/node_modules|\/src\/|arn:aws|at \w+ \(/);
  }
  const headers = { authorization: `Bearer ${token}` };
  const jobs = (await (await fetch(`${gateway.url}/api/jobs`, { headers })).json()) as { items: unknown[] };
  expect(jobs.items).toEqual([]);
  const manuals = (await (await fetch(`${gateway.url}/api/manuals`, { headers })).json()) as { items: unknown[] };
  expect(manuals.items).toEqual([]);
  const usage = (await (await fetch(`${gateway.url}/api/user/usage`, { headers })).json()) as { daily_used: number };
  expect(usage.daily_used).toBe(0);
});

describe('a manual of 51 MB', () => {
  const large = Buffer.alloc(51 * 1024 * 1024, 'a');
  test.each([
    ['as a form', () => ({ raw: toForm(large) })],
    [
      'as base64',
      () => ({
        raw: JSON.stringify({ filename: 'a.txt', content_type: 'text/plain', content: large.toString('base64') }),
        headers: { 'content-type': 'application/json' },
      }),
    ],
  ])('is refused %s', async (_how, how) => {
    const response = await send({ path: '/api/manuals/upload', ...how() });
    expect([response.status, ((await response.json()) as Problem).code]).toEqual([413, 'payload_too_large']);
  });
});

function toForm(bytes: Buffer): FormData {
  const form = new FormData();
  form.append('file', new Blob([new Uint8Array(bytes)]), 'a.txt');
  return form;
}

test('a refusal says what to do', async () => {
  const detailOf = async (response: Response): Promise<string> => ((await response.json()) as Problem).detail;
  expect(await detailOf(await send({ method: 'GET', path: '/api/jobs/%E0%A4%A' }))).toContain('write %25');
  expect(await detailOf(await send({ method: 'GET', path: '/ws' }))).toContain('connect with an upgrade');
  const question = 'x'.repeat(11 * 1024 * 1024);
  const large = await detailOf(await send({ path: '/api/query', body: { question } }));
  expect(large).toMatch(/larger than \d+ MB\. .*POST \/api\/uploads/);
  const squeezed = { 'content-type': 'application/json', 'content-encoding': 'gzip' };
  const broken = await send({ path: '/api/query', raw: 'no gzip', headers: squeezed });
  expect([broken.status, await detailOf(broken)]).toEqual([400, expect.stringContaining('Content-Encoding')]);
});
