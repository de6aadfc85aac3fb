/** Runs at most `limit` pieces of work at once, the others in the order they came. An aborted signal takes a waiting one out. */
export function limitParallel(limit: number): <T>(work: () => Promise<T>, signal?: AbortSignal) => Promise<T> {
  let running = 0;
  const waiting: (() => void)[] = [];

  async function place(signal: AbortSignal | undefined): Promise<void> {
    if (running < limit) {
      running += 1;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const enter = (): void => {
        signal?.removeEventListener('abort', leave);
        resolve();
      };
      const leave = (): void => {
        waiting.splice(waiting.indexOf(enter), 1);
        reject(signal?.reason instanceof Error ? signal.reason : new Error('aborted'));
      };
      waiting.push(enter);
      signal?.addEventListener('abort', leave, { once: true });
    });
  }

  return async (work, signal) => {
    signal?.throwIfAborted();
    await place(signal);
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      // The place goes over to the next one, or is given back.
      if (next) next();
      else running -= 1;
    }
  };
}
