import type { StoredEvent } from '@manuel/contracts';
import type { Redis } from 'ioredis';
import { compareEventIds, isEventId } from './event-id.ts';
import { parseEvent } from './user-events.ts';

const noEvents = '0-0';

export interface StreamRead {
  readonly events: StoredEvent[];
  /** True when events after the given id may be gone. */
  readonly gap: boolean;
  /** Id of the newest event. */
  readonly newest: string;
}

/** Newest event id of a stream, `0-0` for none. */
export async function newestId(redis: Redis, stream: string): Promise<string> {
  const [last] = await redis.xrevrange(stream, '+', '-', 'COUNT', 1);
  return last?.[0] ?? noEvents;
}

/** Entries trimmed from a stream's front so far. */
async function trimmed(redis: Redis, stream: string): Promise<boolean> {
  // A flat list of names and values under RESP2, a map under RESP3 (ioredis gives it as a flat list or an object).
  const info: unknown = await redis.xinfo('STREAM', stream);
  const facts = Array.isArray(info)
    ? Object.fromEntries(
        info.flatMap((name: unknown, i) => (i % 2 === 0 ? [[String(name), info[i + 1] as unknown]] : [])),
      )
    : (info as Record<string, unknown>);
  return Number(facts['entries-added'] ?? 0) > Number(facts['length'] ?? 0);
}

/** Events after `lastId`, and whether some before them are missing. */
export async function readAfter(redis: Redis, stream: string, lastId: string): Promise<StreamRead> {
  const known = isEventId(lastId);
  const [[first], entries, newest] = await Promise.all([
    redis.xrange(stream, '-', '+', 'COUNT', 1),
    redis.xrange(stream, known ? `(${lastId}` : '-', '+'),
    newestId(redis, stream),
  ]);
  const events = entries.flatMap(([id, fields]) => parseEvent(id, fields[1] ?? 'null') ?? []);
  let gap: boolean;
  if (!known) gap = true;
  else if (first === undefined) gap = lastId !== noEvents;
  else if (lastId === noEvents) gap = await trimmed(redis, stream);
  // An id from before what is kept, or from a future that never was.
  else gap = compareEventIds(lastId, first[0]) < 0 || compareEventIds(lastId, newest) > 0;
  return { events, gap, newest };
}
