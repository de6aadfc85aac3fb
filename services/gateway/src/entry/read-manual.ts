import type { Request } from 'express';
import { z } from 'zod';
import { type ManualUploadRequest, ManuelError, jobClasses, manualIdSchema } from '@manuel/contracts';
import type { Gateway } from '../context.ts';
import { sha256Hex } from '../domain/canonical-json.ts';
import type { Caller } from '../domain/caller.ts';
import { decodeBase64 } from '../domain/decode-base64.ts';
import { type Idempotency, type Submitted, submitOnce } from '../domain/submission.ts';
import { submitManualFile } from '../domain/submit-manual.ts';
import { submitManualUpload } from '../domain/submit-manual-upload.ts';
import { submitManualUrl } from '../domain/submit-manual-url.ts';
import { readMultipart } from './http/multipart.ts';
import { parse } from './http/parse.ts';

/** Text fields of the form beside its file. */
const formFieldsSchema = z.strictObject({
  filename: z.string().min(1).max(512).optional(),
  replaces: manualIdSchema.optional(),
  priority: z.enum(jobClasses).default('normal'),
  expires_in_s: z
    .string()
    .regex(/^\d{1,5}$/, 'must be a whole number of seconds')
    .transform(Number)
    .pipe(z.number().int().min(1).max(86_400))
    .optional(),
});

/** A manual by JSON: in the body, by its upload, or by its address. */
export async function submitManualJson(
  gateway: Gateway,
  caller: Caller,
  body: ManualUploadRequest,
  idempotency?: Idempotency,
): Promise<Submitted> {
  const { priority, expires_in_s, replaces } = body;
  const options = { priority, expires_in_s, replaces };
  return submitOnce(gateway, caller, 'ingest', idempotency, async () => {
    if ('upload_id' in body) return submitManualUpload(gateway, caller, body, options, idempotency);
    if ('source_url' in body) return submitManualUrl(gateway, caller, body, options, idempotency);
    const bytes = decodeBase64(body.content, 'content');
    const file = { filename: body.filename, contentType: body.content_type, bytes, method: 'body' as const };
    return submitManualFile(gateway, caller, file, options, idempotency);
  });
}

/** A manual by form. `idempotencyOf` derives the key's meaning from what stands for the body. */
export async function submitManualForm(
  gateway: Gateway,
  caller: Caller,
  request: Request,
  idempotencyOf: (body: unknown) => Idempotency | undefined,
): Promise<Submitted> {
  const { file, fields } = await readMultipart(request, gateway.settings.request.max_size_mb);
  const { filename = file.filename, ...options } = parse(formFieldsSchema, fields, 'body');
  if (filename === '') {
    throw new ManuelError('validation_failed', 'The file has no name.', {
      errors: [{ path: 'filename', message: 'is missing' }],
    });
  }
  const idempotency = idempotencyOf({ fields, filename, sha256: sha256Hex(file.bytes) });
  return submitOnce(gateway, caller, 'ingest', idempotency, () =>
    submitManualFile(gateway, caller, { ...file, filename }, options, idempotency),
  );
}
