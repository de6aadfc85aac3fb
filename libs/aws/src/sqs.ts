import { DeleteMessageBatchCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { Resilience } from '@manuel/resilience';
import type { Settings } from '@manuel/settings';
import { clientOptions } from './client-options.ts';

/** SQS's own limits: messages a call, seconds that an empty queue is watched. */
const mostMessages = 10;
const longestWaitS = 20;

export interface QueueMessage {
  readonly body: string;
  /** By which it is deleted. */
  readonly receipt: string;
}

export interface Sqs {
  /** Up to ten messages, as soon as there is one; none after twenty seconds. */
  receive(queueUrl: string, signal?: AbortSignal): Promise<QueueMessage[]>;
  /** Messages that are not deleted come again. */
  delete(queueUrl: string, messages: readonly QueueMessage[], signal?: AbortSignal): Promise<void>;
  close(): void;
}

/** SQS behind our own retries, breaker and time limits. Throws ManuelError only. */
export function createSqs(deps: {
  readonly settings: Pick<Settings, 'region' | 'pool'>;
  readonly resilience: Resilience;
}): Sqs {
  const client = new SQSClient(clientOptions(deps.settings));
  // A mute connection is given up between two looks, so the wait must be shorter than that.
  const waitS = Math.min(longestWaitS, Math.max(0, Math.floor(deps.settings.pool.read_timeout_ms / 1000) - 5));
  const call = <T>(operation: string, caller: AbortSignal | undefined, work: (signal: AbortSignal) => Promise<T>) =>
    deps.resilience.call({ upstream: 'sqs', operation, ...(caller ? { signal: caller } : {}) }, work);

  return {
    receive: (queueUrl, caller) =>
      call('ReceiveMessage', caller, async (signal) => {
        const output = await client.send(
          new ReceiveMessageCommand({
            QueueUrl: queueUrl,
            MaxNumberOfMessages: mostMessages,
            WaitTimeSeconds: waitS,
          }),
          { abortSignal: signal },
        );
        return (output.Messages ?? []).flatMap(({ Body: body, ReceiptHandle: receipt }) =>
          body === undefined || receipt === undefined ? [] : [{ body, receipt }],
        );
      }),

    async delete(queueUrl, messages, caller) {
      if (messages.length === 0) return;
      await call('DeleteMessageBatch', caller, (signal) =>
        client.send(
          new DeleteMessageBatchCommand({
            QueueUrl: queueUrl,
            Entries: messages.map(({ receipt }, index) => ({ Id: String(index), ReceiptHandle: receipt })),
          }),
          { abortSignal: signal },
        ),
      );
    },

    close: () => client.destroy(),
  };
}
