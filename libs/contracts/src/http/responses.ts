import { z } from 'zod';
import { timestampSchema } from '../common.ts';

export const uploadViewSchema = z.object({
  upload_id: z.string(),
  key: z.string(),
  url: z.string(),
  method: z.literal('PUT'),
  headers: z.record(z.string(), z.string()),
  expires_at: timestampSchema,
});
export type UploadView = z.infer<typeof uploadViewSchema>;

export const manualStatuses = ['processing', 'ready', 'failed', 'deleting'] as const;
export type ManualStatus = (typeof manualStatuses)[number];

export const manualViewSchema = z.object({
  manual_id: z.string(),
  filename: z.string(),
  content_type: z.string(),
  bytes: z.number().int().nonnegative(),
  pages: z.number().int().nonnegative(),
  status: z.enum(manualStatuses),
  /** For `failed`: a reason that a person understands and can act on. */
  error: z.object({ code: z.string(), detail: z.string() }).optional(),
  created_at: timestampSchema,
  updated_at: timestampSchema,
});
export type ManualView = z.infer<typeof manualViewSchema>;

export const usageDaySchema = z.object({
  date: z.string(),
  queries: z.number().int().nonnegative(),
  transcriptions: z.number().int().nonnegative(),
  ingestions: z.number().int().nonnegative(),
  tokens_in: z.number().int().nonnegative(),
  tokens_out: z.number().int().nonnegative(),
});
export type UsageDay = z.infer<typeof usageDaySchema>;

export const usageViewSchema = z.object({
  daily_used: z.number().int().nonnegative(),
  daily_limit: z.number().int().nonnegative(),
  monthly_used: z.number().int().nonnegative(),
  monthly_limit: z.number().int().nonnegative(),
  by_operation: z.record(z.string(), z.number().int().nonnegative()),
  resets_at: z.object({ daily: timestampSchema, monthly: timestampSchema }),
  history: z.array(usageDaySchema),
});
export type UsageView = z.infer<typeof usageViewSchema>;

export const quotaViewSchema = z.object({
  daily_limit: z.number().int().nonnegative(),
  monthly_limit: z.number().int().nonnegative(),
  daily_remaining: z.number().int().nonnegative(),
  monthly_remaining: z.number().int().nonnegative(),
});
export type QuotaView = z.infer<typeof quotaViewSchema>;

export const clientConfigSchema = z.object({
  region: z.string(),
  user_pool_id: z.string(),
  client_id: z.string(),
  /** Where to call InitiateAuth; null: AWS's own endpoint of the region. */
  cognito_endpoint: z.string().nullable(),
});
export type ClientConfig = z.infer<typeof clientConfigSchema>;

export const feedbackViewSchema = z.object({
  job_id: z.string(),
  rating: z.enum(['up', 'down']),
  created_at: timestampSchema,
});
export type FeedbackView = z.infer<typeof feedbackViewSchema>;

/** A single-use ticket that opens `/ws` in a browser. */
export const ticketViewSchema = z.object({ ticket: z.string(), expires_at: timestampSchema });
export type TicketView = z.infer<typeof ticketViewSchema>;
