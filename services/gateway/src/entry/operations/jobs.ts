import { z } from 'zod';
import {
  ManuelError,
  feedbackRequestSchema,
  feedbackViewSchema,
  isTerminal,
  jobIdSchema,
  jobViewSchema,
  listJobsQuerySchema,
  pageOf,
} from '@manuel/contracts';
import { giveFeedback } from '../../domain/give-feedback.ts';
import { listJobs } from '../../domain/list-jobs.ts';
import { goneSignal } from '../answer-submitted.ts';
import { waitFrom } from '../http/prefer.ts';
import { streamJobEvents } from '../job-events.ts';
import { type Operation, operation } from '../operation.ts';
import { preferenceApplied } from './answers.ts';
import { exampleAnswer, exampleJob, exampleJobId, exampleTime } from './examples.ts';

const jobParams = z.object({ id: jobIdSchema });

export const noSuchJob = (): ManuelError =>
  new ManuelError('not_found', 'There is no such job. List yours with GET /api/jobs.');

export const jobOperations: readonly Operation[] = [
  operation({
    id: 'listJobs',
    method: 'get',
    path: '/api/jobs',
    tag: 'Jobs',
    summary: 'List your jobs, newest first',
    access: 'user',
    query: listJobsQuerySchema,
    answers: {
      200: {
        description: 'A page of jobs',
        schema: pageOf(jobViewSchema),
        example: { items: [exampleJob], next_cursor: null },
      },
    },
    errors: [],
    async handle(gateway, { caller, query }) {
      return { status: 200, body: await listJobs(gateway, caller, query) };
    },
  }),
  operation({
    id: 'getJob',
    method: 'get',
    path: '/api/jobs/{id}',
    tag: 'Jobs',
    summary: 'Look at a job, or wait for its end',
    access: 'user',
    accepts: ['Prefer'],
    params: jobParams,
    missing: noSuchJob,
    answers: {
      200: {
        description: 'The job',
        schema: jobViewSchema,
        example: {
          ...exampleJob,
          status: 'completed',
          started_at: exampleTime,
          finished_at: exampleTime,
          attempts: 1,
          progress: { step: 'done', percent: 100 },
          result: exampleAnswer,
        },
        headers: preferenceApplied,
      },
    },
    errors: ['not_found'],
    async handle(gateway, { caller, params, request, response }) {
      const waitS = waitFrom(request.get('prefer'));
      const view = await gateway.admitter.view(caller.userId, params.id);
      if (!view) throw noSuchJob();
      if (waitS === undefined) return { status: 200, body: view };
      const headers = { 'Preference-Applied': `wait=${waitS}` };
      if (isTerminal(view.status)) return { status: 200, body: view, headers };
      const signal = goneSignal(gateway, response);
      const ended = await gateway.hub.waitForEnd(caller.userId, params.id, waitS * 1000, signal);
      const now = ended ?? (await gateway.admitter.view(caller.userId, params.id)) ?? view;
      return { status: 200, body: now, headers };
    },
  }),
  operation({
    id: 'cancelJob',
    method: 'delete',
    path: '/api/jobs/{id}',
    tag: 'Jobs',
    summary: 'Cancel a job',
    description: 'A queued job never starts, an active one is aborted; what it would have cost comes back.',
    access: 'user',
    params: jobParams,
    missing: noSuchJob,
    answers: {
      200: {
        description: 'The job, cancelled',
        schema: jobViewSchema,
        example: { ...exampleJob, status: 'cancelled', finished_at: exampleTime },
      },
    },
    errors: ['not_found', 'conflict'],
    async handle(gateway, { caller, params }) {
      const view = await gateway.admitter.cancel(caller.userId, params.id);
      if (!view) throw noSuchJob();
      return { status: 200, body: view };
    },
  }),
  operation({
    id: 'jobEvents',
    method: 'get',
    path: '/api/jobs/{id}/events',
    tag: 'Jobs',
    summary: 'Follow a job as server-sent events',
    description:
      'Events `job`, `progress` and `token`, each with an id; `Last-Event-ID` resumes. The stream ends after the job has; who has seen that end gets 204.',
    access: 'user',
    accepts: ['Last-Event-ID'],
    params: jobParams,
    missing: noSuchJob,
    answers: {
      200: {
        description: 'The stream',
        contentType: 'text/event-stream',
        example: `event: token\nid: 1773480413589-0\ndata: {"job_id":"${exampleJobId}","seq":0,"text":"Fill the"}\n\n`,
      },
      204: { description: 'The job has ended, and its end was the event that `Last-Event-ID` names, or before it' },
    },
    errors: ['not_found'],
    async handle(gateway, { caller, params, request, response }) {
      const view = await gateway.admitter.view(caller.userId, params.id);
      if (!view) throw noSuchJob();
      await streamJobEvents(gateway, { caller, view, request, response });
    },
  }),
  operation({
    id: 'giveFeedback',
    method: 'post',
    path: '/api/feedback',
    tag: 'Jobs',
    summary: 'Rate an answer',
    access: 'user',
    body: feedbackRequestSchema,
    bodyExample: { job_id: exampleJobId, rating: 'down', comment: 'The button is on the left.' },
    answers: {
      200: {
        description: 'Kept',
        schema: feedbackViewSchema,
        example: { job_id: exampleJobId, rating: 'down', created_at: exampleTime },
      },
    },
    errors: ['not_found', 'conflict'],
    async handle(gateway, { caller, body }) {
      return { status: 200, body: await giveFeedback(gateway, caller, body) };
    },
  }),
];
