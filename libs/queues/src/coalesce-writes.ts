import type { Redis } from 'ioredis';

/**
 * Sends what is written within one turn of the event loop in one system call. Commands stay independent: unlike a pipeline,
 * each gets its reply as soon as it is there. A lone command leaves at once, at the end of its own turn.
 */
export function coalesceWrites(redis: Redis): void {
  redis.on('connect', () => {
    const { stream } = redis;
    const write = stream.write.bind(stream);
    let corked = false;
    const coalesced = (...args: Parameters<typeof write>): boolean => {
      if (!corked) {
        corked = true;
        stream.cork();
        // After all promise callbacks of this turn, which is where commands are sent from.
        process.nextTick(() => {
          corked = false;
          stream.uncork();
        });
      }
      return write(...args);
    };
    // Safe: the same arguments go to the same method.
    stream.write = coalesced as typeof stream.write;
  });
}
