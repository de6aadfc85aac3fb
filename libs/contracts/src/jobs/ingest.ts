import { z } from 'zod';
import { manualIdSchema } from '../common.ts';
import { defineJob } from '../define-job.ts';

export const ingestResultSchema = z.object({
  manual_id: manualIdSchema,
  filename: z.string(),
  pages: z.number().int().nonnegative(),
  bytes: z.number().int().nonnegative(),
  status: z.literal('ready'),
});
export type IngestResult = z.infer<typeof ingestResultSchema>;

/** Where the bytes are: an object the gateway or the client put into the bucket, an address, or the stored manual itself. */
export const ingestSourceSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('object'), key: z.string().min(1).max(1024), etag: z.string().optional() }),
  z.object({ kind: z.literal('url'), url: z.url().max(2048) }),
  z.object({ kind: z.literal('stored') }),
]);
export type IngestSource = z.infer<typeof ingestSourceSchema>;

export const ingestJob = defineJob({
  name: 'ingest',
  queue: 'ingest',
  summary: 'Checks a manual, stores it with its owner’s sidecar and makes it searchable',
  payload: z.object({
    manual_id: manualIdSchema,
    /** As the user named it, for display; made safe for keys where it becomes one. */
    filename: z.string().max(512).optional(),
    content_type: z.string().max(128).optional(),
    upload_method: z.enum(['body', 'multipart', 'presigned', 'url', 'reindex', 'adopt']),
    source: ingestSourceSchema,
    replaces: manualIdSchema.optional(),
  }),
  result: ingestResultSchema,
  defaultClass: 'normal',
  usage: null,
  retry: 's3',
  expiresInS: 3600,
  timeLimitMs: 180_000,
  maxLifetimeS: 7200,
  steps: { queued: 0, received: 5, fetching: 10, checking: 25, storing: 45, indexing: 60, ready: 100 },
  redact: [],
});

export const deleteManualJob = defineJob({
  name: 'delete-manual',
  queue: 'ingest',
  summary: 'Removes a manual: index entries, object, sidecar and cached answers',
  payload: z.object({ manual_id: manualIdSchema }),
  result: z.object({ manual_id: manualIdSchema, status: z.literal('deleted') }),
  defaultClass: 'high',
  usage: null,
  retry: 's3',
  expiresInS: 86_400,
  timeLimitMs: 60_000,
  maxLifetimeS: 86_400,
  steps: { queued: 0, unindexing: 30, removing: 70, done: 100 },
  redact: [],
});
