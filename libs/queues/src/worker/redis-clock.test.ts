import { expect, test } from '@jest/globals';
import { waitFor } from '@manuel/testing';
import { watchRedisClock } from './redis-clock.ts';

test('how far the clock of Redis is ahead is known once it was asked, and is asked for now and then', async () => {
  let asked = 0;
  const aheadMs = watchRedisClock({
    status: 'ready',
    time: async () => {
      asked += 1;
      const now = Date.now() + 60_000;
      return [Math.floor(now / 1000), (now % 1000) * 1000];
    },
  });
  expect(aheadMs()).toBe(0);
  await waitFor(() => aheadMs() !== 0);
  expect(Math.abs(aheadMs() - 60_000)).toBeLessThan(50);
  expect(asked).toBe(1);
});

test('a Redis that does not answer leaves it as it is', async () => {
  const aheadMs = watchRedisClock({ status: 'ready', time: () => Promise.reject(new Error('away')) });
  expect(aheadMs()).toBe(0);
  await new Promise((resolve) => setImmediate(resolve));
  expect(aheadMs()).toBe(0);
});
