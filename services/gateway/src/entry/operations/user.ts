import { quotaViewSchema, ticketViewSchema, usageViewSchema } from '@manuel/contracts';
import { showQuota, showUsage } from '../../domain/show-usage.ts';
import { type Operation, operation } from '../operation.ts';
import { exampleTime, exampleUsage } from './examples.ts';

export const userOperations: readonly Operation[] = [
  operation({
    id: 'getUsage',
    method: 'get',
    path: '/api/user/usage',
    tag: 'User',
    summary: 'What you have used',
    access: 'user',
    answers: {
      200: {
        description: 'Usage of today and this month, and its history',
        schema: usageViewSchema,
        example: {
          ...exampleUsage,
          by_operation: { query: 2, voice: 1 },
          resets_at: { daily: '2026-03-15T00:00:00.000Z', monthly: '2026-04-01T00:00:00.000Z' },
          history: [
            { date: '2026-03-14', queries: 3, transcriptions: 0, ingestions: 1, tokens_in: 4210, tokens_out: 380 },
          ],
        },
      },
    },
    errors: [],
    async handle(gateway, { caller }) {
      return { status: 200, body: await showUsage(gateway, caller) };
    },
  }),
  operation({
    id: 'getQuota',
    method: 'get',
    path: '/api/user/quota',
    tag: 'User',
    summary: 'What you have left',
    access: 'user',
    answers: {
      200: {
        description: 'Limits and what is left of them',
        schema: quotaViewSchema,
        example: { daily_limit: 50, monthly_limit: 1000, daily_remaining: 47, monthly_remaining: 959 },
      },
    },
    errors: [],
    async handle(gateway, { caller }) {
      return { status: 200, body: await showQuota(gateway, caller.userId) };
    },
  }),
  operation({
    id: 'getTicket',
    method: 'post',
    path: '/api/ws-ticket',
    tag: 'User',
    summary: 'Get a single-use ticket for /ws',
    description:
      'For browsers, which cannot send headers when they open a WebSocket. On /ws come changes of jobs, pieces of answers and the words of a live microphone: docs/websocket.md has its messages.',
    access: 'user',
    answers: {
      200: {
        description: 'The ticket',
        schema: ticketViewSchema,
        example: { ticket: 'n2Vq0o6cB8m7TQx1Zc3bS5dW9yA4uE', expires_at: exampleTime },
      },
    },
    errors: [],
    async handle(gateway, { caller }) {
      return { status: 200, body: await gateway.tickets.issue(caller) };
    },
  }),
];
