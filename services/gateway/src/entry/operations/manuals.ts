import { z } from 'zod';
import {
  cursorSchema,
  ingestResultSchema,
  limitSchema,
  manualIdSchema,
  manualUploadRequestSchema,
  manualViewSchema,
  pageOf,
  uploadRequestSchema,
  uploadViewSchema,
} from '@manuel/contracts';
import { announceUpload } from '../../domain/announce-upload.ts';
import { deleteManual } from '../../domain/delete-manual.ts';
import { noSuchManual } from '../../domain/find-manual.ts';
import { reindexManual } from '../../domain/reindex-manual.ts';
import { submitOnce } from '../../domain/submission.ts';
import { linkToManual, listManuals, showManual } from '../../domain/show-manual.ts';
import { answerSubmitted, submitHeaders } from '../answer-submitted.ts';
import { idempotencyFrom } from '../http/idempotency-key.ts';
import { waitFrom } from '../http/prefer.ts';
import { type Operation, operation } from '../operation.ts';
import { submitManualForm, submitManualJson } from '../read-manual.ts';
import { acceptedJob, preferenceApplied } from './answers.ts';
import { exampleIngest, exampleJobOf, exampleManual, exampleManualId, exampleTime } from './examples.ts';

const manualParams = z.object({ id: manualIdSchema });

const submitErrors = [
  'forbidden',
  'queue_full',
  'too_many_jobs',
  'idempotency_mismatch',
  'idempotency_in_flight',
  'cancelled',
  'expired',
  'timed_out',
  'upstream_failed',
] as const;

const documentErrors = [
  'document_unreadable',
  'document_encrypted',
  'document_without_text',
  'fetch_failed',
  'fetch_refused',
  'indexing_failed',
] as const;

const ingested = {
  description: 'The manual is searchable: these bytes were known, or it became so within the wait that was preferred',
  schema: ingestResultSchema,
  example: exampleIngest,
  headers: preferenceApplied,
};

export const manualOperations: readonly Operation[] = [
  operation({
    id: 'announceUpload',
    method: 'post',
    path: '/api/uploads',
    tag: 'Manuals',
    summary: 'Get a link to upload a recording or a manual to',
    description: 'A presigned S3 upload of exactly this size and type. Send all of `headers` with it.',
    access: 'user',
    body: uploadRequestSchema,
    bodyExample: { kind: 'manual', content_type: 'application/pdf', size: 4_194_304, filename: 'espresso-machine.pdf' },
    answers: {
      201: {
        description: 'The link',
        schema: uploadViewSchema,
        example: {
          upload_id: 'upl_01KFA8W3R5T7V9X1Z3B5D7F9H1',
          key: 'uploads/3f1c/upl_01KFA8W3R5T7V9X1Z3B5D7F9H1.pdf',
          url: 'https://s3.eu-west-1.amazonaws.com/manuel-manuals/uploads/3f1c/…?X-Amz-Signature=…',
          method: 'PUT',
          headers: { 'content-type': 'application/pdf', 'content-length': '4194304' },
          expires_at: exampleTime,
        },
      },
    },
    errors: [],
    async handle(gateway, { caller, body }) {
      return { status: 201, body: await announceUpload(gateway, caller, body) };
    },
  }),
  operation({
    id: 'uploadManual',
    method: 'post',
    path: '/api/manuals/upload',
    tag: 'Manuals',
    summary: 'Add a manual: in the body, by upload, or by address',
    description:
      'JSON with the file as base64, or with the id of an upload, or with an address; or multipart/form-data with one `file`. PDF, DOCX, HTML, TXT, MD and CSV; the bytes decide.',
    access: 'user',
    accepts: ['Prefer', 'Idempotency-Key'],
    multipart: true,
    body: manualUploadRequestSchema,
    bodyExample: { filename: 'espresso-machine.pdf', content_type: 'application/pdf', content: 'JVBERi0xLjcK…' },
    answers: { 200: ingested, 202: acceptedJob(exampleJobOf('ingest')) },
    errors: [...submitErrors, ...documentErrors, 'not_found', 'upload_missing', 'upload_mismatch'],
    async handle(gateway, { caller, body, request, response }) {
      const waitS = waitFrom(request.get('prefer'));
      const idempotencyOf = (of: unknown) => idempotencyFrom(request.headers['idempotency-key'], of);
      const submitted = request.is('multipart/form-data')
        ? await submitManualForm(gateway, caller, request, idempotencyOf)
        : await submitManualJson(gateway, caller, body, idempotencyOf(request.body));
      return answerSubmitted(gateway, { caller, response, waitS }, submitted);
    },
  }),
  operation({
    id: 'listManuals',
    method: 'get',
    path: '/api/manuals',
    tag: 'Manuals',
    summary: 'List your manuals',
    access: 'user',
    query: z.strictObject({ limit: limitSchema, cursor: cursorSchema }),
    answers: {
      200: {
        description: 'A page of manuals',
        schema: pageOf(manualViewSchema),
        example: { items: [exampleManual], next_cursor: null },
      },
    },
    errors: [],
    async handle(gateway, { caller, query }) {
      return { status: 200, body: await listManuals(gateway, caller, query) };
    },
  }),
  operation({
    id: 'getManual',
    method: 'get',
    path: '/api/manuals/{id}',
    tag: 'Manuals',
    summary: 'Look at one manual',
    access: 'user',
    params: manualParams,
    missing: noSuchManual,
    answers: { 200: { description: 'The manual', schema: manualViewSchema, example: exampleManual } },
    errors: ['not_found'],
    async handle(gateway, { caller, params }) {
      return { status: 200, body: await showManual(gateway, caller, params.id) };
    },
  }),
  operation({
    id: 'deleteManual',
    method: 'delete',
    path: '/api/manuals/{id}',
    tag: 'Manuals',
    summary: 'Delete a manual',
    description: 'Out of search at once; the job removes object, index entries and cached answers.',
    access: 'user',
    sensitive: true,
    accepts: ['Prefer', 'Idempotency-Key'],
    params: manualParams,
    missing: noSuchManual,
    answers: {
      200: {
        description: 'Gone within the wait that was preferred',
        schema: z.object({ manual_id: manualIdSchema, status: z.literal('deleted') }),
        example: { manual_id: exampleManualId, status: 'deleted' },
        headers: preferenceApplied,
      },
      202: acceptedJob(exampleJobOf('delete')),
    },
    errors: [...submitErrors, 'not_found', 'conflict'],
    async handle(gateway, { caller, params, request, response }) {
      const { waitS, idempotency } = submitHeaders(request, params);
      const submitted = await submitOnce(gateway, caller, 'delete', idempotency, () =>
        deleteManual(gateway, caller, params.id, idempotency),
      );
      return answerSubmitted(gateway, { caller, response, waitS }, submitted);
    },
  }),
  operation({
    id: 'openManual',
    method: 'get',
    path: '/api/manuals/{id}/content',
    tag: 'Manuals',
    summary: 'Open the file itself',
    access: 'user',
    params: manualParams,
    missing: noSuchManual,
    answers: {
      302: {
        description: 'To a short-lived link',
        headers: { Location: 'The link; append #page=N for a page of a PDF' },
      },
    },
    errors: ['not_found', 'conflict'],
    async handle(gateway, { caller, params }) {
      const url = await linkToManual(gateway, caller, params.id);
      return { status: 302, headers: { Location: url, 'Cache-Control': 'no-store' } };
    },
  }),
  operation({
    id: 'reindexManual',
    method: 'post',
    path: '/api/manuals/{id}/reindex',
    tag: 'Manuals',
    summary: 'Ingest a manual again from the stored file',
    access: 'user',
    accepts: ['Prefer', 'Idempotency-Key'],
    params: manualParams,
    missing: noSuchManual,
    answers: { 200: ingested, 202: acceptedJob(exampleJobOf('ingest')) },
    errors: [...submitErrors, ...documentErrors, 'not_found', 'conflict'],
    async handle(gateway, { caller, params, request, response }) {
      const { waitS, idempotency } = submitHeaders(request, params);
      const submitted = await submitOnce(gateway, caller, 'ingest', idempotency, () =>
        reindexManual(gateway, caller, params.id, idempotency),
      );
      return answerSubmitted(gateway, { caller, response, waitS }, submitted);
    },
  }),
];
