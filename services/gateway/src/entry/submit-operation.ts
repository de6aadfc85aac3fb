import { z } from 'zod';
import {
  ManuelError,
  type Operation,
  manualIdSchema,
  manualUploadRequestSchema,
  queryRequestSchema,
  transcribeRequestSchema,
  voiceRequestSchema,
} from '@manuel/contracts';
import type { Gateway } from '../context.ts';
import type { Caller } from '../domain/caller.ts';
import { deleteManual } from '../domain/delete-manual.ts';
import type { Submitted } from '../domain/submission.ts';
import { submitQuery } from '../domain/submit-query.ts';
import { submitTranscription, submitVoice } from '../domain/submit-recording.ts';
import { parse } from './http/parse.ts';
import { submitManualJson } from './read-manual.ts';

type Submit = (gateway: Gateway, caller: Caller, body: unknown) => Promise<Submitted>;

const deleteRequestSchema = z.strictObject({ manual_id: manualIdSchema });

/** What a WebSocket message may submit: the same checks and the same verbs as over HTTP. */
const submitters: Record<Operation, Submit> = {
  query: (gateway, caller, body) => submitQuery(gateway, caller, parse(queryRequestSchema, body, 'body')),
  transcribe: (gateway, caller, body) =>
    submitTranscription(gateway, caller, parse(transcribeRequestSchema, body, 'body')),
  voice: (gateway, caller, body) => submitVoice(gateway, caller, parse(voiceRequestSchema, body, 'body')),
  ingest: (gateway, caller, body) => submitManualJson(gateway, caller, parse(manualUploadRequestSchema, body, 'body')),
  delete: async (gateway, caller, body) => {
    const { manual_id } = parse(deleteRequestSchema, body, 'body');
    refuseUnsigned(gateway);
    return deleteManual(gateway, caller, manual_id);
  },
};

/** A message bears no signature: what needs one is done over HTTP. */
function refuseUnsigned({ settings }: Pick<Gateway, 'settings'>): void {
  if (settings.security.hmac !== 'required') return;
  throw new ManuelError('signature_invalid', 'This must be signed: send DELETE /api/manuals/{id} with X-Signature.');
}

export const submitOperation = (
  gateway: Gateway,
  caller: Caller,
  operation: Operation,
  body: unknown,
): Promise<Submitted> => submitters[operation](gateway, caller, body);
