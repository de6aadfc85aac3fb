import { isTerminal } from '@manuel/contracts';
import type { QueueContext } from './context.ts';
import { dropReservationScript } from './scripts/drop-reservation.ts';
import { probeScript } from './scripts/probe.ts';
import { run } from './scripts/script.ts';

/**
 * Reservations whose job is gone: its worker died between ledger and Redis, or its admission never became durable. They are
 * dropped and the user's counters are read from the ledger again. Returns how many.
 */
export async function dropStaleReservations(context: QueueContext, graceMs: number): Promise<number> {
  const { redis, keys, ledger } = context;
  let dropped = 0;
  const suspects = await suspectsOf(context);
  const before = context.now() - graceMs;
  for (const { userId, jobId } of suspects) {
    const row = await ledger.jobs.get(userId, jobId);
    if (row && !isTerminal(row.status)) continue;
    // A row that is not there yet belongs to an admission on its way.
    if (!row && !(await seenBefore(context, userId, jobId, before))) continue;
    if (row?.finished_at !== undefined && row.finished_at > before) continue;
    await run(redis, dropReservationScript, keys.prefix, [userId, jobId]);
    dropped += 1;
  }
  return dropped;
}

/** Open entries that BullMQ neither holds waiting, running nor delayed. */
async function suspectsOf(context: QueueContext): Promise<{ userId: string; jobId: string }[]> {
  const { redis, keys } = context;
  const suspects: { userId: string; jobId: string }[] = [];
  const start = `${keys.prefix}:u:`;
  const end = ':open';
  let cursor = '0';
  do {
    const [next, names] = await redis.scan(cursor, 'MATCH', `${escapeGlob(start)}*${end}`, 'COUNT', 500);
    cursor = next;
    for (const name of names) {
      const userId = name.slice(start.length, -end.length);
      const entries = Object.entries(await redis.hgetall(name));
      const states = await Promise.all(
        entries.map(([jobId, entry]) => run(redis, probeScript, keys.prefix, [entry.split('|').at(-1) ?? '', jobId])),
      );
      for (const [i, [jobId]] of entries.entries()) {
        const reply = states[i];
        const state = Array.isArray(reply) ? String(reply[0]) : 'unknown';
        if (!['waiting', 'running', 'delayed'].includes(state)) suspects.push({ userId, jobId });
      }
    }
  } while (cursor !== '0');
  return suspects;
}

const escapeGlob = (text: string): string => text.replace(/[\\*?[\]]/g, '\\$&');

/** True when an earlier sweep met the same entry: two looks a grace apart tell a leak from an admission on its way. */
async function seenBefore(context: QueueContext, userId: string, jobId: string, before: number): Promise<boolean> {
  const key = `${context.keys.prefix}:suspects`;
  const first = await context.redis.zscore(key, `${userId}:${jobId}`);
  if (first === null) {
    await context.redis.zadd(key, context.now(), `${userId}:${jobId}`);
    return false;
  }
  if (Number(first) > before) return false;
  await context.redis.zrem(key, `${userId}:${jobId}`);
  return true;
}
