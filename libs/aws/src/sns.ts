import { PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import type { Resilience } from '@manuel/resilience';
import type { Settings } from '@manuel/settings';
import { clientOptions } from './client-options.ts';

/** SNS takes subjects of at most this many characters, ASCII, without line breaks. */
const longestSubject = 100;

export interface Notification {
  /** ARN of the topic. */
  readonly topic: string;
  readonly subject: string;
  readonly message: string;
  /** String attributes that subscriptions may filter by. */
  readonly attributes?: Readonly<Record<string, string>>;
}

export interface Sns {
  publish(notification: Notification, signal?: AbortSignal): Promise<void>;
  close(): void;
}

/** SNS behind our own retries, breaker and time limits. Throws ManuelError only. */
export function createSns(deps: {
  readonly settings: Pick<Settings, 'region' | 'pool'>;
  readonly resilience: Resilience;
}): Sns {
  const client = new SNSClient(clientOptions(deps.settings));
  return {
    async publish({ topic, subject, message, attributes = {} }, signal) {
      const command = new PublishCommand({
        TopicArn: topic,
        Subject: subject.replace(/[^\x20-\x7e]+/g, ' ').slice(0, longestSubject),
        Message: message,
        MessageAttributes: Object.fromEntries(
          Object.entries(attributes).map(([name, value]) => [name, { DataType: 'String', StringValue: value }]),
        ),
      });
      await deps.resilience.call(
        { upstream: 'sns', operation: 'Publish', ...(signal ? { signal } : {}) },
        async (abortSignal) => client.send(command, { abortSignal }),
      );
    },
    close: () => client.destroy(),
  };
}
