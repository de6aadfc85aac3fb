import { errorCodes, manualStatuses } from '@manuel/contracts';
import { z } from 'zod';
import type { ManualRow } from '../types.ts';

const manualRowSchema = z.object({
  user_id: z.string(),
  manual_id: z.string(),
  filename: z.string(),
  content_type: z.string(),
  bytes: z.number(),
  pages: z.number(),
  status: z.enum(manualStatuses),
  error: z.object({ code: z.enum(errorCodes), detail: z.string() }).exactOptional(),
  created_at: z.number(),
  updated_at: z.number(),
  s3_key: z.string().exactOptional(),
  sha256: z.string().exactOptional(),
  title: z.string().exactOptional(),
  upload_method: z.string(),
  source_url: z.string().exactOptional(),
  job_id: z.string().exactOptional(),
  replaces: z.string().exactOptional(),
});

/** A row as DynamoDB gave it. Throws when it is not one that we wrote. */
export const toManualRow = (item: unknown): ManualRow => manualRowSchema.parse(item);
