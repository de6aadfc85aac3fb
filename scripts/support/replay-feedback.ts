import { setTimeout as sleep } from 'node:timers/promises';
import { createCache } from '@manuel/cache';
import { type QueryResult, isTerminal, queryResultSchema } from '@manuel/contracts';
import { type FeedbackRow, type JobRow, type Ledger, createLedger } from '@manuel/ledger';
import { type Admitter, createAdmitter } from '@manuel/queues';
import { connectRedis } from '@manuel/resilience';
import type { Settings } from '@manuel/settings';
import { createMetrics, silentLogger } from '@manuel/telemetry';

/** A question whose answer was rated down, and what it is answered now. */
export interface Replayed {
  readonly feedback: FeedbackRow;
  /** Undefined when it could not be answered in time. */
  readonly now: Omit<QueryResult, 'usage'> | undefined;
}

const answerLimitMs = 60_000;
const pollMs = 200;
const resultSchema = queryResultSchema.omit({ usage: true });

/**
 * Asks every down-rated question again, as its user and through the running workers, without cache, conversation or charge.
 * Needs the services' own environment: it reads the ledger and admits jobs of the system itself.
 */
export async function* replayDownRated(settings: Settings): AsyncGenerator<Replayed> {
  const deps = { settings, logger: silentLogger(), metrics: createMetrics('eval') };
  const ledger = createLedger(deps);
  const redis = await connectRedis(settings, { name: 'eval', logger: deps.logger });
  const cache = createCache({ ...deps, redis, versions: ledger.manuals });
  const admitter = await createAdmitter({ ...deps, ledger });
  try {
    for await (const feedback of ledger.feedback.scan('down')) {
      await cache.invalidate({ type: 'answers', userId: feedback.user_id });
      yield { feedback, now: await askAgain(ledger, admitter, feedback) };
    }
  } finally {
    await admitter.close();
    await cache.close();
    redis.disconnect();
    await ledger.close();
  }
}

async function askAgain(ledger: Ledger, admitter: Admitter, feedback: FeedbackRow): Promise<Replayed['now']> {
  const jobId = await admitter.enqueueInternal({
    job: 'query',
    operation: 'query',
    userId: feedback.user_id,
    payload: { question: feedback.question, persona: 'default', warm_up: true },
    class: 'low',
    expiresInS: answerLimitMs / 1000,
    requestId: `replay-${feedback.job_id}`,
  });
  const end = Date.now() + answerLimitMs;
  let row: JobRow | undefined;
  while (!row || !isTerminal(row.status)) {
    if (Date.now() > end) return undefined;
    await sleep(pollMs);
    row = await ledger.jobs.get(feedback.user_id, jobId);
  }
  return resultSchema.safeParse(row.result).data;
}

/** Whether the answer cites a page that the down-rated one did not. */
export function citesAnew({ feedback, now }: Replayed): boolean {
  const before = new Set(feedback.passages.map(({ manual_id, page }) => `${manual_id} ${page}`));
  return (now?.citations ?? []).some(({ manual_id, page }) => !before.has(`${manual_id} ${page}`));
}
