import type { Circus } from '@jest/types';
import { TestEnvironment } from 'jest-environment-node';

/** What must not outlive a test file. */
const watched = ['TCPSocketWrap', 'TCPServerWrap', 'PipeWrap', 'ProcessWrap', 'Timeout'] as const;
type Counts = Record<(typeof watched)[number], number>;

function count(): Counts {
  const active = process.getActiveResourcesInfo();
  return Object.fromEntries(watched.map((kind) => [kind, active.filter((name) => name === kind).length])) as Counts;
}

/**
 * The leak alarm: a file that ends with more connections, servers, child processes or timers than it began with fails, and
 * says which. It waits for what is already closing: idle sockets of
 * `fetch` go after some seconds.
 */
export default class LeakAlarmEnvironment extends TestEnvironment {
  #before: Counts = count();

  override async setup(): Promise<void> {
    await super.setup();
    this.#before = count();
  }

  async handleTestEvent(event: Circus.AsyncEvent | Circus.SyncEvent, state: Circus.State): Promise<void> {
    if (event.name !== 'run_finish') return;
    const end = Date.now() + 8000;
    for (;;) {
      // The wait below is itself one timer, but it is over when the count is taken.
      const now = count();
      const left = watched.filter((kind) => now[kind] > this.#before[kind]);
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
