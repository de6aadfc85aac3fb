import { isTerminal } from '@manuel/contracts';
import type { JobRow, Ledger, NewJobRow } from '@manuel/ledger';
import { dayOf } from '../clock.ts';

const open = (row: NewJobRow): JobRow =>
  row.finished_at === undefined
    ? { ...row, status: 'queued', attempts: 0, open: '0' }
    : { ...row, status: 'completed', attempts: 0 };

/** The parts of the ledger that queues use, in memory: conditional writes and fenced usage as the real one has them. */
export interface MemoryLedger extends Pick<Ledger, 'jobs' | 'usage'> {
  readonly rows: Map<string, JobRow>;
  /** Charged jobs: job id -> user and day. */
  readonly charges: Map<string, { user: string; day: string }>;
  readonly limits: Map<string, { daily_limit?: number; monthly_limit?: number }>;
  /** Calls so far by name. */
  readonly calls: Record<string, number>;
  /** Throws on the next calls of this name while set. */
  failing: string | undefined;
}

const absent = (): never => {
  throw new Error('queues do not use this part of the ledger');
};

export function memoryLedger(): MemoryLedger & Ledger {
  const rows = new Map<string, JobRow>();
  const charges = new Map<string, { user: string; day: string }>();
  const limits = new Map<string, { daily_limit?: number; monthly_limit?: number }>();
  const calls: Record<string, number> = {};
  const key = (userId: string, jobId: string): string => `${userId}/${jobId}`;
  const ledger = { rows, charges, limits, calls, failing: undefined as string | undefined };
  const called = async (name: string): Promise<void> => {
    calls[name] = (calls[name] ?? 0) + 1;
    // Like a call over the wire: the answer is not there at once.
    await new Promise((resolve) => setImmediate(resolve));
    if (ledger.failing === name) throw new Error(`the ledger failed on ${name}`);
  };
  const jobs: Ledger['jobs'] = {
    async add(row) {
      await called('add');
      rows.set(key(row.user_id, row.job_id), open(row));
    },
    async put(row) {
      await called('put');
      const existing = rows.get(key(row.user_id, row.job_id));
      if (existing) return { created: false, existing };
      rows.set(key(row.user_id, row.job_id), open(row));
      return { created: true };
    },
    async get(userId, jobId) {
      await called('get');
      return rows.get(key(userId, jobId));
    },
    list: absent,
    async finish(userId, jobId, outcome) {
      await called('finish');
      const row = rows.get(key(userId, jobId));
      if (!row) return { won: false, row: undefined };
      if (isTerminal(row.status)) return { won: false, row };
      const { open: _open, ...rest } = row;
      const ended: JobRow = { ...rest, ...outcome };
      rows.set(key(userId, jobId), ended);
      return { won: true, row: ended };
    },
    async handOver(userId, jobId, next) {
      await called('handOver');
      const row = rows.get(key(userId, jobId));
      if (!row || isTerminal(row.status)) return false;
      rows.set(key(userId, jobId), { ...row, ...next });
      return true;
    },
    async started(userId, jobId, startedAt) {
      await called('started');
      const row = rows.get(key(userId, jobId));
      if (!row || isTerminal(row.status)) return false;
      rows.set(key(userId, jobId), { ...row, started_at: startedAt });
      return true;
    },
    async keepDetail(userId, jobId, detail) {
      await called('keepDetail');
      const row = rows.get(key(userId, jobId));
      if (!row || isTerminal(row.status)) return false;
      rows.set(key(userId, jobId), { ...row, detail });
      return true;
    },
    async openOf(userId) {
      await called('openOf');
      return [...rows.values()].filter((row) => row.user_id === userId && row.open !== undefined);
    },
    async *open(before) {
      await called('open');
      yield* [...rows.values()]
        .filter((row) => row.open !== undefined && row.created_at < before)
        .sort((a, b) => a.created_at - b.created_at);
    },
  };
  const usage: Ledger['usage'] = {
    async settle(job) {
      await called('settle');
      if (job.charged && job.usage !== null) charges.set(job.job_id, { user: job.user_id, day: dayOf(job.created_at) });
      else charges.delete(job.job_id);
    },
    async totals(userId, now, about = []) {
      await called('totals');
      const own = [...charges.values()].filter(({ user }) => user === userId);
      return {
        daily_used: own.filter(({ day }) => day === dayOf(now)).length,
        monthly_used: own.filter(({ day }) => day.slice(0, 7) === dayOf(now).slice(0, 7)).length,
        charged: about.filter((jobId) => charges.has(jobId)),
      };
    },
    history: absent,
    async limits(userId) {
      await called('limits');
      return limits.get(userId) ?? {};
    },
    async setLimits(userId, change) {
      await called('setLimits');
      limits.set(userId, { ...limits.get(userId), ...change });
    },
  };
  const unused = new Proxy({}, { get: absent });
  // Safe: whatever queues do not use throws when touched.
  return Object.assign(ledger, {
    jobs,
    usage,
    manuals: unused,
    conversations: unused,
    uploads: unused,
    feedback: unused,
    deadLetters: unused,
    createTables: async () => undefined,
    ping: async () => undefined,
    close: async () => undefined,
    [Symbol.asyncDispose]: async () => undefined,
  }) as unknown as MemoryLedger & Ledger;
}
