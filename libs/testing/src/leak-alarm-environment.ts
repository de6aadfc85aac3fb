import type { Circus } from '@jest/types';
import { TestEnvironment } from 'jest-environment-node';

/** What must not outlive a test file. */
const watched = ['TCPSocketWrap', 'TCPServerWrap', 'PipeWrap', 'ProcessWrap', 'Timeout'] as const;
type Counts = Record<(typeof watched)[number], number>;

/** One socket may be in the hands of a client library that closes it in its own time; a leak is rarely one. */
const tolerated: Counts = { TCPSocketWrap: 1, TCPServerWrap: 0, PipeWrap: 0, ProcessWrap: 0, Timeout: 0 };

function count(): Counts {
  const active = process.getActiveResourcesInfo();
  return Object.fromEntries(watched.map((kind) => [kind, active.filter((name) => name === kind).length])) as Counts;
}

interface Dispatcher {
  close(): Promise<void>;
}

/**
 * Node keeps idle connections of `fetch` open as long as the server allows; they are nobody's leak. Closes them by giving
 * Node's `fetch` a new dispatcher (undici's documented place for it).
 */
async function closeIdleFetchSockets(): Promise<void> {
  const holder = globalThis as { [key: symbol]: Dispatcher | undefined };
  const closing = ['undici.globalDispatcher.1', 'undici.globalDispatcher.2'].map(async (name) => {
    const key = Symbol.for(name);
    const old = holder[key];
    if (!old) return;
    holder[key] = new (old.constructor as new () => Dispatcher)();
    await old.close();
  });
  // One may stand for the other, and is closed with it; a request that never ends is the alarm's business, not ours.
  await Promise.race([Promise.allSettled(closing), new Promise((resolve) => setTimeout(resolve, 1000).unref())]);
}

/**
 * The leak alarm: a file that ends with more connections, servers, child processes or timers than it began with fails, and
 * says which. It waits for what is already closing.
 */
export default class LeakAlarmEnvironment extends TestEnvironment {
  #before: Counts = count();

  override async setup(): Promise<void> {
    await super.setup();
    this.#before = count();
  }

  async handleTestEvent(event: Circus.AsyncEvent | Circus.SyncEvent, state: Circus.State): Promise<void> {
    if (event.name !== 'run_finish') return;
    await closeIdleFetchSockets();
    const end = Date.now() + 8000;
    for (;;) {
      // The wait below is itself one timer, but it is over when the count is taken.
      const now = count();
      const left = watched.filter((kind) => now[kind] > this.#before[kind] + tolerated[kind]);
      if (left.length === 0) return;
      if (Date.now() > end) {
        const list = left.map((kind) => `${now[kind] - this.#before[kind]} ${kind}`).join(', ');
        state.unhandledErrors.push(new Error(`this file left open: ${list}. Close what it started.`));
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }
}
