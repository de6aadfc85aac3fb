import type { Ledger } from '@manuel/ledger';

/** A ledger that accepts everything and remembers nothing: what is measured is the queue. */
export function nullLedger(): Ledger {
  const accept = () => Promise.resolve();
  const none = () => Promise.resolve(undefined);
  const emptyPage = () => Promise.resolve({ items: [], next_cursor: null });
  const nothing = async function* (): AsyncGenerator<never> {
    yield* [];
  };
  return {
    jobs: {
      add: accept,
      put: () => Promise.resolve({ created: true }),
      get: none,
      list: emptyPage,
      finish: () => Promise.resolve({ won: true, row: undefined }),
      handOver: () => Promise.resolve(true),
      started: () => Promise.resolve(true),
      keepDetail: () => Promise.resolve(true),
      openOf: () => Promise.resolve([]),
      open: nothing,
    },
    usage: {
      settle: accept,
      totals: () => Promise.resolve({ daily_used: 0, monthly_used: 0, charged: [] }),
      history: () => Promise.resolve({ days: [], by_operation: {} }),
      limits: () => Promise.resolve({}),
      setLimits: accept,
    },
    manuals: {
      create: () => Promise.resolve(true),
      get: none,
      list: emptyPage,
      all: () => Promise.resolve([]),
      update: none,
      remove: accept,
      findBySha256: none,
      version: () => Promise.resolve(1),
      bumpVersion: () => Promise.resolve(1),
      scan: nothing,
    },
    conversations: { turns: () => Promise.resolve([]), append: accept },
    uploads: { create: accept, get: none },
    feedback: { put: accept, scan: nothing },
    deadLetters: {
      put: () => Promise.resolve(true),
      get: none,
      list: emptyPage,
      count: () => Promise.resolve({ count: 1, alertDue: false }),
      markReplayed: accept,
    },
    createTables: accept,
    ping: accept,
    close: accept,
    [Symbol.asyncDispose]: accept,
  };
}
