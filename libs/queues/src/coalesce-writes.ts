import type { Redis } from 'ioredis';
import { atEndOfTurn } from './end-of-turn.ts';

/** Commands in one system call: enough to share its cost, few enough that Redis begins while more are made. */
const most = 32;

/**
 * Sends what is written within one turn of the event loop in few system calls. Commands stay independent: unlike a pipeline,
 * each gets its reply as soon as it is there.
 */
export function coalesceWrites(redis: Redis): void {
  redis.on('connect', () => {
    const { stream } = redis;
    const write = stream.write.bind(stream);
    let gathered = 0;
    const send = (): void => {
      if (gathered === 0) return;
      gathered = 0;
      stream.uncork();
    };
    const coalesced = (...args: Parameters<typeof write>): boolean => {
      if (gathered === 0) {
        stream.cork();
        atEndOfTurn('send', send);
      }
      gathered += 1;
      const more = write(...args);
      if (gathered >= most) send();
      return more;
    };
    // Safe: the same arguments go to the same method.
    stream.write = coalesced as typeof stream.write;
  });
}
