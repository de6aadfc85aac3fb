import { z } from 'zod';
import {
  type DeadLetterView,
  ManuelError,
  deadLetterViewSchema,
  invalidateRequestSchema,
  listDeadLettersQuerySchema,
  opsHealthSchema,
  pageOf,
  queueNames,
  quotaRequestSchema,
  quotaViewSchema,
  userIdSchema,
} from '@manuel/contracts';
import type { CacheType } from '@manuel/cache';
import type { DeadLetterRow } from '@manuel/ledger';
import { showQuota } from '../../domain/show-usage.ts';
import { readHealth } from '../ops/read-health.ts';
import { type Operation, operation } from '../operation.ts';
import { exampleJobId, exampleTime } from './examples.ts';

const cacheTypeOf: Record<'query' | 'voice' | 'transcribe', CacheType> = {
  query: 'answers',
  voice: 'answers',
  transcribe: 'transcripts',
};

/** Without the payload: it may hold what a user asked. */
const toView = (row: DeadLetterRow): DeadLetterView => ({
  id: row.id,
  fingerprint: row.fingerprint,
  severity: row.severity,
  queue: row.queue,
  job_id: row.job_id,
  user_id: row.user_id,
  operation: row.operation,
  code: row.code,
  reason: row.reason,
  attempts: row.attempts,
  failed_at: new Date(row.failed_at).toISOString(),
  replayed_at: row.replayed_at === undefined ? null : new Date(row.replayed_at).toISOString(),
});

const queueParams = z.object({ name: z.enum(queueNames) });
const queueAnswer = (paused: boolean) => ({
  200: {
    description: paused ? 'No more jobs are started' : 'Jobs are started again',
    schema: z.object({ name: z.enum(queueNames), paused: z.boolean() }),
    example: { name: 'query', paused },
  },
});

export const opsOperations: readonly Operation[] = [
  operation({
    id: 'opsHealth',
    method: 'get',
    path: '/api/ops/health',
    tag: 'Operations',
    summary: 'The state of the system',
    access: 'operator',
    answers: {
      200: {
        description: 'The state',
        schema: opsHealthSchema,
        example: {
          overall: 'healthy',
          performance: { requests: 1200, error_rate: 0, p50_ms: 3.1, p95_ms: 11.8 },
          queues: [{ name: 'query', waiting: 0, active: 2, delayed: 0, failed: 0, paused: false, oldest_waiting_s: 0 }],
          cache: { hit_rate: 0.42 },
          degradation: { degraded: false, failure_rate: 0 },
          breakers: [{ name: 'bedrock:ConverseStream', state: 'closed', consecutive_failures: 0, opened_at: null }],
          missing: [],
        },
      },
    },
    errors: [],
    async handle(gateway) {
      return { status: 200, body: await readHealth(gateway) };
    },
  }),
  operation({
    id: 'listDeadLetters',
    method: 'get',
    path: '/api/ops/dead-letters',
    tag: 'Operations',
    summary: 'Jobs that failed for good, newest first',
    access: 'operator',
    query: listDeadLettersQuerySchema,
    answers: {
      200: {
        description: 'A page of dead letters',
        schema: pageOf(deadLetterViewSchema),
        example: {
          items: [
            {
              id: exampleJobId,
              fingerprint: '5b1c9e0f2a7d4c68',
              severity: 'medium',
              queue: 'query',
              job_id: exampleJobId,
              user_id: '3f1c2b7a-1111-4222-8333-944455556666',
              operation: 'query',
              code: 'upstream_failed',
              reason: 'A service we depend on failed.',
              attempts: 4,
              failed_at: exampleTime,
              replayed_at: null,
            },
          ],
          next_cursor: null,
        },
      },
    },
    errors: [],
    async handle(gateway, { query }) {
      const { severity, fingerprint, operation: of, limit, cursor } = query;
      const page = await gateway.ledger.deadLetters.list({
        limit,
        ...(severity === undefined ? {} : { severity }),
        ...(fingerprint === undefined ? {} : { fingerprint }),
        ...(of === undefined ? {} : { operation: of }),
        ...(cursor === undefined ? {} : { cursor }),
      });
      return { status: 200, body: { items: page.items.map(toView), next_cursor: page.next_cursor } };
    },
  }),
  operation({
    id: 'resetBreaker',
    method: 'post',
    path: '/api/ops/breakers/{name}/reset',
    tag: 'Operations',
    summary: 'Close a circuit breaker',
    access: 'operator',
    params: z.object({ name: z.string().regex(/^[a-z0-9-]{1,40}:[A-Za-z0-9]{1,80}$/) }),
    answers: {
      200: {
        description: 'Closed',
        schema: z.object({ name: z.string(), state: z.literal('closed') }),
        example: { name: 'bedrock:ConverseStream', state: 'closed' },
      },
    },
    errors: ['not_found'],
    async handle(gateway, { caller, params }) {
      if (!(await gateway.resilience.reset(params.name)))
        throw new ManuelError('not_found', 'There is no such breaker.');
      gateway.logger.info('breaker reset', { breaker: params.name, by: caller.userId });
      return { status: 200, body: { name: params.name, state: 'closed' } };
    },
  }),
  operation({
    id: 'invalidateCache',
    method: 'post',
    path: '/api/ops/cache/invalidate',
    tag: 'Operations',
    summary: 'Forget cached results, of an operation, of a user, or all',
    access: 'operator',
    body: invalidateRequestSchema,
    bodyExample: { operation: 'query' },
    answers: {
      200: {
        description: 'Forgotten',
        schema: z.object({ removed: z.number().int().nonnegative() }),
        example: { removed: 17 },
      },
    },
    errors: [],
    async handle(gateway, { body }) {
      const removed = await gateway.cache.invalidate({
        ...(body.operation === undefined ? {} : { type: cacheTypeOf[body.operation] }),
        ...(body.user_id === undefined ? {} : { userId: body.user_id }),
      });
      return { status: 200, body: { removed } };
    },
  }),
  operation({
    id: 'setQuota',
    method: 'put',
    path: '/api/ops/users/{id}/quota',
    tag: 'Operations',
    summary: 'Give a user limits of their own',
    access: 'operator',
    sensitive: true,
    params: z.object({ id: userIdSchema }),
    body: quotaRequestSchema,
    bodyExample: { daily_limit: 200 },
    answers: {
      200: {
        description: 'The limits now, and what is left of them',
        schema: quotaViewSchema,
        example: { daily_limit: 200, monthly_limit: 1000, daily_remaining: 197, monthly_remaining: 959 },
      },
    },
    errors: [],
    async handle(gateway, { caller, params, body }) {
      const { daily_limit, monthly_limit } = body;
      await gateway.admitter.setLimits(params.id, {
        ...(daily_limit === undefined ? {} : { daily_limit }),
        ...(monthly_limit === undefined ? {} : { monthly_limit }),
      });
      gateway.logger.info('quota changed', { of_user: params.id, by: caller.userId, daily_limit, monthly_limit });
      return { status: 200, body: await showQuota(gateway, params.id) };
    },
  }),
  ...[true, false].map((paused) =>
    operation({
      id: paused ? 'pauseQueue' : 'resumeQueue',
      method: 'post',
      path: `/api/ops/queues/{name}/${paused ? 'pause' : 'resume'}`,
      tag: 'Operations',
      summary: paused ? 'Start no more jobs of a queue' : 'Start jobs of a queue again',
      access: 'operator',
      params: queueParams,
      answers: queueAnswer(paused),
      errors: [],
      async handle(gateway, { caller, params }) {
        await gateway.inspector[paused ? 'pause' : 'resume'](params.name);
        gateway.logger.info(paused ? 'queue paused' : 'queue resumed', { queue: params.name, by: caller.userId });
        return { status: 200, body: { name: params.name, paused } };
      },
    }),
  ),
];
