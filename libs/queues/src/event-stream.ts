import { type JobView, type StoredEvent, isTerminal } from '@manuel/contracts';
import type { Redis } from 'ioredis';
import { z } from 'zod';
import { compareEventIds, isEventId } from './event-id.ts';
import type { Keys } from './keys.ts';
import { parseEvent } from './user-events.ts';

const noEvents = '0-0';

/** Events that are read at once: however many a client missed, a gateway holds few of them. */
const pageLength = 100;

export interface StreamRead {
  readonly events: StoredEvent[];
  /** Id of the last entry that was read. Undefined: that was the last of all. */
  readonly moreAfter: string | undefined;
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

/** How the end of a job lies in the stream: its view, with a result that may be large, lies in Redis but once. */
const endedSchema = z.object({ type: z.literal('ended'), job_id: z.string() });

export interface StreamSource {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly userId: string;
  /** Where the view of an ended job is read when Redis has it no more. */
  readonly view: (userId: string, jobId: string) => Promise<JobView | undefined>;
}

/** The events of stream entries, in order; those that this version does not know are left out. */
async function eventsOf(
  { redis, keys, userId, view }: StreamSource,
  entries: readonly (readonly [id: string, fields: readonly string[]])[],
): Promise<StoredEvent[]> {
  const read = entries.map(([id, fields]) => {
    const json = fields[1] ?? 'null';
    return { id, json, ended: endedSchema.safeParse(JSON.parse(json)).data?.job_id };
  });
  const ended = read.flatMap((entry) => entry.ended ?? []);
  const found = ended.length === 0 ? [] : await redis.mget(...ended.map((jobId) => keys.view(userId, jobId)));
  const views = new Map(ended.map((jobId, i) => [jobId, found[i] ?? undefined]));
  const events: StoredEvent[] = [];
  for (const { id, json, ended: jobId } of read) {
    const text = jobId === undefined ? json : views.get(jobId);
    if (text !== undefined) {
      const event = parseEvent(id, text);
      if (event) events.push(event);
    } else if (jobId !== undefined) {
      const job = await view(userId, jobId);
      if (job && isTerminal(job.status)) events.push({ id, event: { type: 'job', job } });
    }
  }
  return events;
}

/** The first events after `lastId`, and whether some before them are missing. */
export async function readAfter(source: StreamSource, lastId: string): Promise<StreamRead> {
  const { redis, keys, userId } = source;
  const stream = keys.stream(userId);
  const known = isEventId(lastId);
  const [[first], entries, newest] = await Promise.all([
    redis.xrange(stream, '-', '+', 'COUNT', 1),
    redis.xrange(stream, known ? `(${lastId}` : '-', '+', 'COUNT', pageLength),
    newestId(redis, stream),
  ]);
  const events = await eventsOf(source, entries);
  let gap: boolean;
  if (!known) gap = true;
  else if (first === undefined) gap = lastId !== noEvents;
  else if (lastId === noEvents) gap = await trimmed(redis, stream);
  // An id from before what is kept, or from a future that never was.
  else gap = compareEventIds(lastId, first[0]) < 0 || compareEventIds(lastId, newest) > 0;
  const moreAfter = entries.length < pageLength ? undefined : entries.at(-1)?.[0];
  return { events, moreAfter, gap, newest };
}
