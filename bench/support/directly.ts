import type { Resilience } from '@manuel/resilience';

/** No policy of ours in between: what an upstream takes by itself. */
export const directly: Resilience = {
  call: (_call, work) => work(AbortSignal.timeout(120_000)),
  isOpen: () => false,
  record: () => undefined,
  breakers: () => Promise.resolve([]),
  reset: () => Promise.resolve(false),
  close: () => Promise.resolve(),
};
