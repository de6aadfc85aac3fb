import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { ExpressAdapter } from '@bull-board/express';
import type { Express, Request, RequestHandler } from 'express';
import { type JobDefinition, ManuelError, jobs } from '@manuel/contracts';
import type { QueueInspector } from '@manuel/queues';
import { isOperator } from '../../domain/caller.ts';
import { callerOf } from '../http/authenticate.ts';
import { redact } from './redact.ts';

const basePath = '/ops/queues';
const definitions: readonly JobDefinition[] = Object.values(jobs);

/** Results and progress hold what users said and read, whatever the job. */
const alwaysRedacted = ['answer', 'excerpt', 'passages', 'transcription', 'question', 'similar_question', 'text'];

/** These would write into a job what the board shows of it, redacted, or make jobs that no ledger knows. */
const closedRoutes = /\/(update-data|add)$/;

function adapterOf(queue: ReturnType<QueueInspector['queues']>[number], readOnly: boolean): BullMQAdapter {
  const own = definitions.filter((definition) => definition.queue === queue.name);
  const fields = new Set([...alwaysRedacted, ...own.flatMap((definition) => definition.redact)]);
  const adapter = new BullMQAdapter(queue, {
    readOnlyMode: readOnly,
    description: own.map(({ name, summary }) => `${name}: ${summary}`).join('. '),
  });
  for (const field of ['data', 'returnValue', 'progress'] as const) {
    adapter.setFormatter(field, (value: unknown) => redact(value, fields));
  }
  return adapter;
}

function createBoard(inspector: QueueInspector, readOnly: boolean): Express {
  const server = new ExpressAdapter().setBasePath(basePath);
  createBullBoard({
    queues: inspector.queues().map((queue) => adapterOf(queue, readOnly)),
    serverAdapter: server,
    options: { uiConfig: { boardTitle: readOnly ? 'Manuel queues (read only)' : 'Manuel queues' } },
  });
  // Ours says no more than that it failed.
  server.setErrorHandler(() => ({ status: 500, body: { error: 'The queues cannot be read at the moment.' } }));
  // Bull Board types its router as any; it is an Express app.
  const app = server.getRouter() as Express;
  app.disable('x-powered-by');
  return app;
}

/** Bull Board's own page needs inline styles; everything else stays as strict as elsewhere. */
const boardPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'self'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/**
 * Bull Board at `/ops/queues`, behind `requireViewer`: all of it for operators, read only for viewers, payloads redacted.
 * Made at the first visit, because its queues need Redis.
 */
export function queueBoard(inspector: QueueInspector): RequestHandler {
  const boards = new Map<boolean, Express>();
  const boardFor = (readOnly: boolean): Express => {
    const known = boards.get(readOnly) ?? createBoard(inspector, readOnly);
    boards.set(readOnly, known);
    return known;
  };
  return (request: Request, response, next) => {
    const readOnly = !isOperator(callerOf(request));
    if (closedRoutes.test(request.path))
      throw new ManuelError('forbidden', 'Jobs are made and changed through the API.');
    if (readOnly && request.method !== 'GET' && request.method !== 'HEAD') {
      throw new ManuelError('forbidden', 'Viewers may look, not change.');
    }
    response.setHeader('Content-Security-Policy', boardPolicy);
    boardFor(readOnly)(request, response, next);
  };
}
