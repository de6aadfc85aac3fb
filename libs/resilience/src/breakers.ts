import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger, Metrics } from '@manuel/telemetry';
import {
  afterFailure,
  afterRelease,
  afterSuccess,
  type BreakerLimits,
  type BreakerRecord,
  claimTrial,
  cleanRecord,
  isClean,
  stateOf,
} from './breaker-record.ts';
import type { BreakerChange, BreakerStore } from './breaker-store.ts';
import type { BreakerState } from './types.ts';

/** How old the view of the shared state may be. */
export const freshMs = 250;
/** Longest wait for the shared state; without it this process decides alone. */
const storeLimitMs = 150;
/** After trouble with the shared store it is left alone for this long. */
const storePauseMs = 1000;

export type Pass = 'plain' | 'trial';
type StateName = BreakerState['state'];

export interface Breakers {
  /** How a call may go through; undefined when it is refused. */
  admit(name: string, early?: boolean): Promise<Pass | undefined>;
  succeeded(name: string, pass: Pass): Promise<void>;
  failed(name: string, pass: Pass): Promise<void>;
  /** The call said nothing about the upstream. */
  released(name: string, pass: Pass): Promise<void>;
  state(name: string): StateName;
  /** Milliseconds until a call may try again; 0 while closed. */
  retryAfterMs(name: string): number;
  list(): Promise<BreakerState[]>;
  /** Learns what other processes found out since the last look. Never throws. */
  refresh(): Promise<void>;
  reset(name: string): Promise<boolean>;
  /** Called after each change of state that this process learns of. Returns how to stop. */
  onChange(listener: (name: string, state: StateName) => void): () => void;
}

const gaugeOf: Record<StateName, number> = { closed: 0, 'half-open': 1, open: 2 };

/** The breakers as this process sees them: its own view, refreshed from the shared store; the store's trouble never shows. */
export function createBreakers(deps: {
  readonly limits: BreakerLimits;
  readonly shared?: BreakerStore;
  readonly logger: Logger;
  readonly metrics: Metrics;
}): Breakers {
  const { limits, logger, metrics } = deps;
  let view = new Map<string, BreakerRecord>();
  const seen = new Map<string, StateName>();
  const met = new Set<string>();
  const listeners = new Set<(name: string, state: StateName) => void>();
  let syncedAt = 0;
  let syncing: Promise<void> | undefined;
  let pausedUntil = 0;

  const recordOf = (name: string): BreakerRecord => view.get(name) ?? cleanRecord;

  function notice(name: string): void {
    const state = stateOf(recordOf(name), Date.now());
    const before = seen.get(name) ?? 'closed';
    if (state === before) return;
    seen.set(name, state);
    metrics.gauge('breaker_state', '0 closed, 1 half-open, 2 open', gaugeOf[state], { breaker: name });
    metrics.count('breaker_changes_total', 'Changes of a breaker', { breaker: name, to: state });
    const fields = { breaker: name, from: before, to: state, consecutive_failures: recordOf(name).failures };
    if (state === 'open') logger.warn('breaker opened', fields);
    else logger.info('breaker changed', fields);
    for (const listener of listeners) listener(name, state);
  }

  function put(name: string, record: BreakerRecord): void {
    view.set(name, record);
    notice(name);
  }

  /** The shared store's answer, or undefined when there is none in time. */
  async function ask<T>(question: (store: BreakerStore) => Promise<T>): Promise<T | undefined> {
    if (!deps.shared || Date.now() < pausedUntil) return undefined;
    const late = new AbortController();
    try {
      const limit = sleep(storeLimitMs, undefined, { signal: late.signal }).then(() => {
        throw new Error(`no answer within ${storeLimitMs} ms`);
      });
      return await Promise.race([question(deps.shared), limit]);
    } catch (error) {
      pausedUntil = Date.now() + storePauseMs;
      logger.warn('breaker state is not shared at the moment, this process decides alone', { error });
      return undefined;
    } finally {
      late.abort();
    }
  }

  async function sync(): Promise<void> {
    if (!deps.shared || Date.now() - syncedAt < freshMs) return;
    syncing ??= ask((store) => store.all())
      .then((records) => {
        syncedAt = Date.now();
        if (!records) return;
        const names = new Set([...view.keys(), ...records.keys()]);
        view = new Map(records);
        for (const name of met) if (!view.has(name)) view.set(name, cleanRecord);
        for (const name of names) notice(name);
      })
      .finally(() => {
        syncing = undefined;
      });
    await syncing;
  }

  async function change(name: string, apply: BreakerChange): Promise<boolean> {
    const shared = await ask((store) => store.change(name, apply));
    if (shared) {
      put(name, shared.record);
      return shared.changed;
    }
    // Alone: this process's own view is the truth.
    const after = apply(recordOf(name));
    if (after !== undefined) put(name, after);
    return after !== undefined;
  }

  /** At its first use a breaker becomes known, so that operators see all of them and not only those in trouble. */
  async function meet(name: string): Promise<void> {
    if (met.has(name)) return;
    met.add(name);
    if (!view.has(name)) view.set(name, cleanRecord);
    await ask((store) => store.register(name));
  }

  return {
    async admit(name, early = false) {
      await meet(name);
      await sync();
      if (recordOf(name).openedAt === 0) return early ? undefined : 'plain';
      if (!claimTrial(recordOf(name), early, Date.now(), limits)) return undefined;
      const claimed = await change(name, (record) => claimTrial(record, early, Date.now(), limits));
      return claimed ? 'trial' : recordOf(name).openedAt === 0 && !early ? 'plain' : undefined;
    },
    async succeeded(name, pass) {
      if (isClean(recordOf(name))) return;
      await change(name, (record) => afterSuccess(record, pass === 'trial'));
    },
    async failed(name, pass) {
      await change(name, (record) => afterFailure(record, pass === 'trial', Date.now(), limits));
    },
    async released(name, pass) {
      if (pass === 'trial') await change(name, afterRelease);
    },
    state: (name) => stateOf(recordOf(name), Date.now()),
    retryAfterMs(name) {
      const { openedAt } = recordOf(name);
      return openedAt === 0 ? 0 : Math.max(1000, openedAt + limits.openMs - Date.now());
    },
    refresh: sync,
    async list() {
      await sync();
      const now = Date.now();
      return [...view.keys()].sort().map((name) => {
        const record = recordOf(name);
        return {
          name,
          state: stateOf(record, now),
          consecutive_failures: record.failures,
          opened_at: record.openedAt || null,
        };
      });
    },
    async reset(name) {
      await sync();
      const known = view.has(name);
      await change(name, (record) => (isClean(record) ? undefined : cleanRecord));
      return known;
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
