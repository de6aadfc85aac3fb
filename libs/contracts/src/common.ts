import { z } from 'zod';

/** A tenant: the verified `sub` of the token. */
export const userIdSchema = z.string().regex(/^[A-Za-z0-9_-]{1,128}$/);

export const manualIdSchema = z.string().regex(/^man_[0-9A-HJKMNP-TV-Z]{26}$/, 'is not a manual id');
export const uploadIdSchema = z.string().regex(/^upl_[0-9A-HJKMNP-TV-Z]{26}$/, 'is not an upload id');
export const conversationIdSchema = z.string().regex(/^cnv_[0-9A-HJKMNP-TV-Z]{26}$/, 'is not a conversation id');
/** `<operation>_<26 characters of Crockford base 32>` */
export const jobIdSchema = z
  .string()
  .regex(/^(transcribe|query|voice|ingest|delete)_[0-9A-HJKMNP-TV-Z]{26}$/, 'is not a job id');

export const personas = ['default', 'beginner', 'expert'] as const;
export const personaSchema = z.enum(personas);
export type Persona = (typeof personas)[number];

/** RFC 3339, UTC. */
export const timestampSchema = z.iso.datetime();

/** What a user has used, as every result carries it. */
export const usageSummarySchema = z.object({
  daily_used: z.number().int().nonnegative(),
  daily_limit: z.number().int().nonnegative(),
  monthly_used: z.number().int().nonnegative(),
  monthly_limit: z.number().int().nonnegative(),
});
export type UsageSummary = z.infer<typeof usageSummarySchema>;

export const audioTypes = {
  'audio/mp4': 'mp4',
  'audio/x-m4a': 'm4a',
  'audio/m4a': 'm4a',
  'audio/mpeg': 'mp3',
  'audio/mp3': 'mp3',
  'audio/wav': 'wav',
  'audio/x-wav': 'wav',
  'audio/wave': 'wav',
  'audio/flac': 'flac',
  'audio/x-flac': 'flac',
  'audio/ogg': 'ogg',
  'audio/webm': 'webm',
  'audio/amr': 'amr',
} as const;
/** Amazon Transcribe's MediaFormat. */
export type AudioFormat = (typeof audioTypes)[keyof typeof audioTypes];

export const manualTypes = {
  'application/pdf': 'pdf',
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document': 'docx',
  'text/html': 'html',
  'text/plain': 'txt',
  'text/markdown': 'md',
  'text/csv': 'csv',
} as const;
export type ManualFormat = (typeof manualTypes)[keyof typeof manualTypes];
