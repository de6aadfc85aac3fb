import { clientConfigSchema } from '@manuel/contracts';
import { probe } from '@manuel/telemetry';
import { z } from 'zod';
import { type Operation, operation } from '../operation.ts';

const healthSchema = z.object({ status: z.string() }).loose();

export const serviceOperations: readonly Operation[] = [
  operation({
    id: 'livez',
    method: 'get',
    path: '/livez',
    tag: 'Service',
    summary: 'Whether the gateway lives',
    access: 'open',
    answers: { 200: { description: 'It does', schema: healthSchema, example: { status: 'live' } } },
    errors: [],
    handle: () => ({ status: 200, body: { status: 'live' } }),
  }),
  operation({
    id: 'readyz',
    method: 'get',
    path: '/readyz',
    tag: 'Service',
    summary: 'Whether all that the gateway needs is there',
    access: 'open',
    answers: {
      200: { description: 'It is', schema: healthSchema, example: { status: 'ready' } },
      503: {
        description: 'Something is missing; `reason` says what',
        schema: healthSchema,
        example: { status: 'unavailable', reason: 'Redis does not answer' },
      },
    },
    errors: [],
    async handle(gateway) {
      const { status, body } = await probe('ready', { live: async () => ({ ok: true }), ready: () => gateway.ready() });
      return { status, body };
    },
  }),
  operation({
    id: 'metrics',
    method: 'get',
    path: '/metrics',
    tag: 'Service',
    summary: 'Metrics for Prometheus',
    access: 'open',
    answers: { 200: { description: 'Prometheus’ text format', contentType: 'text/plain' } },
    errors: [],
    async handle(gateway, { response }) {
      response.type(gateway.metrics.contentType).send(await gateway.metrics.text());
    },
  }),
  operation({
    id: 'config',
    method: 'get',
    path: '/config.json',
    tag: 'Service',
    summary: 'What a client needs to sign in',
    access: 'open',
    answers: {
      200: {
        description: 'Public settings',
        schema: clientConfigSchema,
        example: {
          region: 'eu-west-1',
          user_pool_id: 'eu-west-1_Abc123',
          client_id: '4example',
          cognito_endpoint: 'http://127.0.0.1:4566',
        },
      },
    },
    errors: [],
    handle({ settings }) {
      const { user_pool_id, client_id, public_endpoint } = settings.cognito;
      const cognito_endpoint = public_endpoint === '' ? null : public_endpoint;
      return { status: 200, body: { region: settings.region, user_pool_id, client_id, cognito_endpoint } };
    },
  }),
];
