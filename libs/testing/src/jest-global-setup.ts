import { startRunRedis, type TestRedis } from './redis.ts';

/** Where setup leaves the run's Redis for teardown; both run in the same process. */
export const run = globalThis as { manuelRunRedis?: TestRedis };

/** One Redis for the whole run; the files find it by this variable. */
export default async function setup(): Promise<void> {
  run.manuelRunRedis = await startRunRedis();
  process.env['MANUEL_TEST_REDIS_URL'] = run.manuelRunRedis.url;
}
