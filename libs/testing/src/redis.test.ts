import { Redis } from 'ioredis';
import { expect, test } from '@jest/globals';
import { startRedis, testRedis } from './redis.ts';

test('a file sees only keys under its own prefix, and leaves none behind', async () => {
  const [one, other] = await Promise.all([testRedis(), testRedis()]);
  expect(one.prefix).not.toBe(other.prefix);
  const client = new Redis(one.url);
  await client.set(`${one.prefix}:k`, '1');
  await one.close();
  expect(process.env['MANUEL_TEST_REDIS_URL'] ? await client.exists(`${one.prefix}:k`) : 0).toBe(0);
  client.disconnect();
  await other.close();
});

test('an own Redis can be killed and comes back empty, or with its data where it persists', async () => {
  for (const persist of [false, true]) {
    const redis = await startRedis({ persist });
    const write = new Redis(redis.url);
    await write.set('k', 'v');
    write.disconnect();
    await redis.stop('SIGKILL');
    await redis.start();
    const read = new Redis(redis.url);
    expect(await read.get('k')).toBe(persist ? 'v' : null);
    read.disconnect();
    await redis.close();
  }
});
