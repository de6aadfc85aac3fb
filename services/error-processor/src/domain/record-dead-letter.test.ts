import { beforeEach, expect, test } from '@jest/globals';
import { newJobId } from '@manuel/contracts';
import type { DeadLetterRow, DeadLettersLedger } from '@manuel/ledger';
import { silentLogger } from '@manuel/telemetry';
import { classifyFailure } from './classify-failure.ts';
import { fingerprintFailure, normaliseReason } from './fingerprint-failure.ts';
import type { Alert, Failure, Outside } from './outside.ts';
import { recordDeadLetter } from './record-dead-letter.ts';

let stored: Map<string, DeadLetterRow>;
let alerts: Alert[];
let outside: Outside;

beforeEach(() => {
  stored = new Map();
  alerts = [];
  const counts = new Map<string, number>();
  const windows = new Map<string, number>();
  const deadLetters: Pick<DeadLettersLedger, 'put' | 'count'> = {
    async put(row) {
      if (stored.has(row.id)) return false;
      stored.set(row.id, row);
      return true;
    },
    async count(fingerprint, now, windowS) {
      const count = (counts.get(fingerprint) ?? 0) + 1;
      counts.set(fingerprint, count);
      const alertDue = now >= (windows.get(fingerprint) ?? 0);
      if (alertDue) windows.set(fingerprint, now + windowS * 1000);
      return { count, alertDue };
    },
  };
  outside = {
    logger: silentLogger(),
    // Safe: recording uses these two only.
    deadLetters: deadLetters as DeadLettersLedger,
    retentionDays: 30,
    alertWindowS: 3600,
    alert: async (alert) => void alerts.push(alert),
  };
});

const failure = (change: Partial<Failure> = {}): Failure => ({
  queue: 'query',
  job: 'query',
  jobId: newJobId('query'),
  userId: 'anna',
  operation: 'query',
  code: 'upstream_failed',
  reason: 'upstream_failed: Bedrock answered 500 (request 1234)',
  attempts: 4,
  payload: { question: 'a secret question' },
  failedAt: 1000,
  ...change,
});

test('many failures of a kind are many dead letters, one fingerprint and one alert a window', async () => {
  const rows = [];
  for (let i = 0; i < 5; i += 1) {
    rows.push(await recordDeadLetter(outside, failure({ reason: `upstream_failed: Bedrock answered 50${i}` }), 1000));
  }
  expect(stored.size).toBe(5);
  expect(new Set(rows.map(({ fingerprint }) => fingerprint)).size).toBe(1);
  expect(alerts).toHaveLength(1);

  await recordDeadLetter(outside, failure({ reason: 'upstream_failed: Bedrock answered 503' }), 1000 + 3600 * 1000);
  expect(alerts).toHaveLength(2);
  expect(JSON.parse(alerts[1]?.message ?? '')).toMatchObject({ count: 6, severity: 'high' });
});

test('a job is one dead letter, however often it is found', async () => {
  const same = failure();
  await recordDeadLetter(outside, same, 1000);
  await recordDeadLetter(outside, same, 1000);
  await recordDeadLetter(outside, { ...same, failedAt: 2000 }, 2000);
  expect(stored.size).toBe(1);
  expect(alerts).toHaveLength(1);
});

test('an alert names neither the user nor the question', async () => {
  await recordDeadLetter(outside, failure(), 1000);
  expect(JSON.stringify(alerts)).not.toMatch(/anna|secret question/);
});

test('what a user sent wrong alerts nobody; a failed delete is worse than its code', async () => {
  await recordDeadLetter(outside, failure({ job: 'ingest', code: 'document_encrypted', reason: 'encrypted' }), 1000);
  expect(alerts).toHaveLength(0);
  expect(classifyFailure({ job: 'ingest', code: 'document_encrypted' })).toBe('low');
  expect(classifyFailure({ job: 'delete-manual', code: 'upstream_failed' })).toBe('critical');
});

test.each([
  ['Job query_01KAB2CDEFGHJKMNPQRSTVWXYZ timed out after 3000 ms', 'job <id> timed out after <n> ms'],
  ['GET https://kb.example/x?y=1 gave "no such key"', 'get <url> gave <text>'],
  ['no such file: /var/data/x.pdf', 'no such file: <path>'],
  ['arn:aws:bedrock:eu-west-1:1234:kb/ABC refused', '<arn> refused'],
])('%s', (reason, normal) => {
  expect(normaliseReason(reason)).toBe(normal);
});

test('job, code and reason each tell kinds apart', () => {
  const kinds = [
    failure(),
    failure({ job: 'voice' }),
    failure({ code: 'timed_out' }),
    failure({ reason: 'upstream_failed: the stream broke' }),
  ];
  expect(new Set(kinds.map(fingerprintFailure)).size).toBe(kinds.length);
});
