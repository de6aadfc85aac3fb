import type { ManualRow } from '@manuel/ledger';
import { readSpeechModelName } from '@manuel/contracts';
import type { Outside } from '../outside.ts';
import type { Speaker } from './speaker.ts';

const megabyte = 1024 * 1024;

export interface ModelPlan {
  readonly name: string;
  readonly language: string;
  readonly manuals: readonly ManualRow[];
}

/** Makes a model of the texts of the user's manuals, newest first, and removes the ones that it replaces. */
export async function makeModel(
  outside: Outside,
  recording: Pick<Speaker, 'userId' | 'signal'>,
  plan: ModelPlan,
): Promise<'ready' | 'building' | 'none'> {
  const { settings, s3, models } = outside;
  const bucket = settings.storage.audio_bucket;
  const prefix = `${settings.storage.audio_prefix}/${recording.userId}/texts/${plan.name}/`;
  const limit = AbortSignal.any([recording.signal, AbortSignal.timeout(settings.transcribe.bias_timeout_ms)]);
  const keys: string[] = [];
  try {
    for (const manual of withinLimit(plan.manuals, settings.transcribe.bias_max_mb * megabyte)) {
      const text = await textOf(outside, manual, limit);
      if (text === undefined) continue;
      const key = `${prefix}${manual.manual_id}.txt`;
      await s3.putObject({ bucket, key, body: text, contentType: 'text/plain; charset=utf-8', signal: limit });
      keys.push(key);
    }
    if (keys.length === 0) return 'none';
    const made = await models.create(
      {
        name: plan.name,
        language: plan.language,
        texts: { bucket, key: prefix },
        roleArn: settings.transcribe.bias_role_arn,
      },
      limit,
    );
    if (made === 'full') {
      outside.logger.warn('the account may have no more language models', { user_id: recording.userId });
      return 'none';
    }
    await removeReplaced(outside, plan, recording.userId, limit);
    const state = await models.state(plan.name, limit);
    // While AWS still reads them they stay; the bucket's lifecycle removes them.
    if (state !== 'building') await s3.deleteObjects(bucket, keys, limit);
    return state === 'ready' || state === 'building' ? state : 'none';
  } catch (error) {
    // Not the recording's signal: what was put there goes in any case.
    await s3.deleteObjects(bucket, keys);
    throw error;
  }
}

function* withinLimit(manuals: readonly ManualRow[], maxBytes: number): Generator<ManualRow> {
  let bytes = 0;
  for (const manual of manuals) {
    bytes += manual.bytes;
    if (bytes > maxBytes) return;
    yield manual;
  }
}

async function textOf(outside: Outside, manual: ManualRow, signal: AbortSignal): Promise<string | undefined> {
  const { settings, s3, readManual, logger } = outside;
  if (manual.s3_key === undefined) return undefined;
  const maxBytes = settings.ingest.max_size_mb * megabyte;
  const found = await s3.getObject({ bucket: settings.storage.manuals_bucket, key: manual.s3_key, maxBytes, signal });
  if (found === undefined) return undefined;
  try {
    return await readManual(found.bytes, { filename: manual.filename, contentType: manual.content_type }, signal);
  } catch (error) {
    if (signal.aborted) throw error;
    logger.warn('a manual does not help recognition, because it cannot be read', {
      manual_id: manual.manual_id,
      error,
    });
    return undefined;
  }
}

async function removeReplaced(outside: Outside, plan: ModelPlan, userId: string, signal: AbortSignal): Promise<void> {
  for await (const name of outside.models.names(`.${userId}.`, signal)) {
    const known = readSpeechModelName(name);
    if (known?.userId === userId && known.language === plan.language && name !== plan.name) {
      await outside.models.delete(name, signal);
    }
  }
}
