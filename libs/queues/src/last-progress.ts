import { type Progress, type QueueName, progressSchema } from '@manuel/contracts';
import type { QueueContext } from './context.ts';

/** Progress as a job's hash keeps it (`mpg`); undefined when it has reported none. */
export function readProgress(json: string | null): Progress | undefined {
  if (json === null) return undefined;
  const parsed = progressSchema.safeParse(JSON.parse(json));
  return parsed.success ? parsed.data : undefined;
}

/** How far a job came, for the outcome of one that does not complete. */
export async function lastProgress(
  { redis, keys }: Pick<QueueContext, 'redis' | 'keys'>,
  queue: QueueName,
  jobId: string,
): Promise<{ progress?: Progress }> {
  const progress = readProgress(await redis.hget(`${keys.prefix}:${queue}:${jobId}`, 'mpg'));
  return progress ? { progress } : {};
}
