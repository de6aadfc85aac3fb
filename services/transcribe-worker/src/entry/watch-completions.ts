import type { Sqs } from '@manuel/aws';
import type { Logger } from '@manuel/telemetry';
import { setTimeout as sleep } from 'node:timers/promises';
import { readCompletion } from '../domain/read-completion.ts';

/** Pause after trouble, milliseconds. */
const pauseMs = 5000;

/**
 * Wakes jobs whose transcription has ended, told by EventBridge through an SQS queue. Events are best effort and may come
 * twice or never: the jobs look by themselves all the same. Returns how to stop it.
 */
export function watchCompletions(
  deps: { readonly sqs: Sqs; readonly logger: Logger },
  queueUrl: string,
  wake: (jobId: string) => Promise<void>,
): () => Promise<void> {
  const { sqs, logger } = deps;
  const stopping = new AbortController();
  const { signal } = stopping;

  async function watch(): Promise<void> {
    while (!signal.aborted) {
      try {
        const messages = await sqs.receive(queueUrl, signal);
        const ended = messages.map(({ body }) => readCompletion(body)).filter((jobId) => jobId !== undefined);
        await Promise.all(ended.map(wake));
        await sqs.delete(queueUrl, messages, signal);
      } catch (error) {
        if (signal.aborted) return;
        logger.warn('completion events could not be read; transcriptions are looked at all the same', { error });
        // Cut short by the stop: then the loop ends.
        await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  const watching = watch();
  return async () => {
    stopping.abort();
    await watching;
  };
}
