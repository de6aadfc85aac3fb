import { Queue } from 'bullmq';
import { newJobId } from '@manuel/contracts';
import { createAdmitter } from '@manuel/queues';
import { settingsWith } from '@manuel/settings';
import { createMetrics, silentLogger } from '@manuel/telemetry';
import { nullLedger } from './null-ledger.ts';

async function inParallel(count: number, width: number, one: (n: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: width }, async () => {
      for (let n = next++; n < count; n = next++) await one(n);
    }),
  );
}

/** Puts questions of `users` users into our query queue, through the real admission without limits. */
export async function fillOurs(redisUrl: string, count: number, userOf: (n: number) => string): Promise<void> {
  const settings = settingsWith({ redis: { url: redisUrl, command_timeout_ms: 30_000 } });
  const admitter = await createAdmitter({
    settings,
    ledger: nullLedger(),
    logger: silentLogger(),
    metrics: createMetrics('fill'),
  });
  try {
    await inParallel(count, 200, (n) =>
      admitter.enqueueInternal({
        job: 'query',
        operation: 'query',
        userId: userOf(n),
        payload: { question: `What is part ${n}?`, persona: 'default' },
        class: 'normal',
        expiresInS: 86_400,
        requestId: `bench-${n}`,
      }),
    );
  } finally {
    await admitter.close();
  }
}

/** Whoever used BullMQ alone would put the same into a job. */
const sameAsOurs = (n: number, userId: string): object => ({
  user_id: userId,
  operation: 'query',
  class: 'normal',
  request_id: `bench-${n}`,
  created_at: Date.now(),
  expires_at: Date.now() + 86_400_000,
  payload: { question: `What is part ${n}?`, persona: 'default' },
});

/** The same jobs in a bare BullMQ queue. */
export async function fillBare(redisUrl: string, count: number, userOf: (n: number) => string): Promise<void> {
  const queue = new Queue('bare', { connection: { url: redisUrl }, prefix: '{bare}' });
  try {
    for (let n = 0; n < count; n += 1000) {
      const size = Math.min(1000, count - n);
      await queue.addBulk(
        Array.from({ length: size }, (_, index) => ({
          name: 'query',
          data: sameAsOurs(n + index, userOf(n + index)),
          opts: { jobId: newJobId('query'), priority: 1, attempts: 4, backoff: { type: 'exponential', delay: 2000 } },
        })),
      );
    }
  } finally {
    await queue.close();
  }
}
