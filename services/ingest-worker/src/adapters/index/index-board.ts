import { randomUUID } from 'node:crypto';
import { documentsPerCall } from '@manuel/aws';
import type { Settings } from '@manuel/settings';
import type { Redis } from 'ioredis';
import { z } from 'zod';
import { lookScript, requestScript, reserveScript, settleScript, takeScript, turnScript } from './board-scripts.ts';

export const boardOperations = ['ingest', 'delete'] as const;
export type BoardOperation = (typeof boardOperations)[number];

const entrySchema = z.object({
  /** Of the request: what belongs to an older one is dropped. */
  token: z.string(),
  user_id: z.string(),
  op: z.enum(boardOperations),
  /** queued: waits for a call. sent: Bedrock has it. done: indexed, or gone. failed: see reason. */
  phase: z.enum(['queued', 'sent', 'done', 'failed']),
  reason: z.string().optional(),
  /** Times it had to be sent again. */
  tries: z.number(),
  /** Looks at its status since it was sent. */
  looks: z.number(),
});
export type BoardEntry = z.infer<typeof entrySchema>;

/** Milliseconds to wait, undefined when there is nothing, or the uris taken. */
export type Taken = { readonly uris: readonly string[] } | { readonly waitMs: number } | undefined;

const entryTtlS = 86_400;
/** What was taken and not settled by then is taken again: its taker died. */
const leaseMs = 30_000;

/**
 * Where all workers together note which documents the knowledge base shall take in or let go, so that calls are shared over
 * users and workers and stay within the account's rates. Only a note: the job that asked looks after its document, and asks
 * again when the note is lost.
 */
export class IndexBoard {
  readonly #redis: Redis;
  readonly #prefix: string;
  readonly #ingest: Settings['ingest'];

  constructor(redis: Redis, settings: Pick<Settings, 'redis' | 'ingest'>) {
    this.#redis = redis;
    this.#prefix = `${settings.redis.prefix}:kb`;
    this.#ingest = settings.ingest;
  }

  /** Asks for a document to be taken in or let go. The same request again while it is on its way changes nothing. */
  async request(op: BoardOperation, uri: string, userId: string): Promise<void> {
    const known = await this.entry(uri);
    if (known?.op === op && (known.phase === 'queued' || known.phase === 'sent')) return;
    await this.#enqueue(uri, { token: randomUUID(), user_id: userId, op, phase: 'queued', tries: 0, looks: 0 });
  }

  /** Queues it once more: the call failed, or Bedrock lost it. */
  async again(uri: string, entry: BoardEntry, tries: number): Promise<void> {
    await this.#enqueue(uri, { ...entry, phase: 'queued', tries, looks: 0 });
  }

  async #enqueue(uri: string, entry: BoardEntry): Promise<void> {
    const { op, user_id: userId } = entry;
    const other = op === 'ingest' ? 'delete' : 'ingest';
    await this.#redis.eval(
      requestScript,
      7,
      this.#queue(op),
      this.#queue(other),
      this.#key(`turns:${op}`),
      this.#key(`time:${op}`),
      this.#key(`since:${op}`),
      this.#state(uri),
      this.#key('looks'),
      uri,
      userId,
      JSON.stringify(entry),
      entryTtlS,
    );
  }

  async entry(uri: string): Promise<BoardEntry | undefined> {
    const text = await this.#redis.get(this.#state(uri));
    return text === null ? undefined : entrySchema.parse(JSON.parse(text));
  }

  /** Nobody waits for this document any more. */
  async forget(uri: string): Promise<void> {
    await this.#redis
      .multi()
      .del(this.#state(uri))
      .zrem(this.#key('looks'), uri)
      .zrem(this.#queue('ingest'), uri)
      .zrem(this.#queue('delete'), uri)
      .exec();
  }

  /** The next batch of an operation, when its window is over and the rate allows a call. */
  async take(op: BoardOperation): Promise<Taken> {
    const { batch_window_ms, calls_per_s } = this.#ingest;
    const reply = await this.#redis.eval(
      takeScript,
      5,
      this.#queue(op),
      this.#key(`time:${op}`),
      this.#key(`since:${op}`),
      this.#key(`rate:${op}`),
      this.#key('looks'),
      documentsPerCall,
      batch_window_ms,
      calls_per_s,
      leaseMs,
    );
    return takenOf(reply);
  }

  /** Documents whose status is to be looked at now. */
  async takeLooks(): Promise<Taken> {
    const keys = [this.#key('looks'), this.#key('rate:look')] as const;
    const reply = await this.#redis.eval(lookScript, 2, ...keys, documentsPerCall, this.#ingest.calls_per_s, leaseMs);
    return takenOf(reply);
  }

  /** 0 when a call of this kind may be made now, else milliseconds to wait. */
  async turn(kind: string, perSecond: number): Promise<number> {
    return Number(await this.#redis.eval(turnScript, 1, this.#key(`rate:${kind}`), perSecond));
  }

  /** Milliseconds until the caller's own turn of this kind comes: 0 is now. However many ask, each asks once. */
  async reserve(kind: string, perSecond: number): Promise<number> {
    return Number(await this.#redis.eval(reserveScript, 1, this.#key(`rate:${kind}`), perSecond));
  }

  /** Notes what became of a request; `lookInMs` plans the next look. False when it was asked for anew meanwhile. */
  async settle(uri: string, entry: BoardEntry, change: Partial<BoardEntry>, lookInMs?: number): Promise<boolean> {
    const next = JSON.stringify({ ...entry, ...change });
    const reply = await this.#redis.eval(
      settleScript,
      2,
      this.#state(uri),
      this.#key('looks'),
      entry.token,
      next,
      entryTtlS,
      uri,
      lookInMs ?? -1,
    );
    return reply === 1;
  }

  /** Uris that wait for a call, of both operations. */
  async waiting(): Promise<string[]> {
    const lists = await Promise.all(boardOperations.map((op) => this.#redis.zrange(this.#queue(op), '0', '-1')));
    return lists.flat();
  }

  /** Takes uris out of the queues: the ingestion job that carries them has begun. */
  async leaveQueue(uris: readonly string[]): Promise<void> {
    if (uris.length === 0) return;
    const change = this.#redis.multi();
    for (const op of boardOperations) change.zrem(this.#queue(op), ...uris);
    await change.exec();
  }

  /** The ingestion job that runs now, as far as the workers know. */
  async lane(): Promise<string | undefined> {
    return (await this.#redis.get(this.#key('lane'))) ?? undefined;
  }

  async setLane(jobId: string | undefined): Promise<void> {
    if (jobId === undefined) await this.#redis.del(this.#key('lane'));
    else await this.#redis.set(this.#key('lane'), jobId, 'EX', entryTtlS);
  }

  #key(name: string): string {
    return `${this.#prefix}:${name}`;
  }

  #queue(op: BoardOperation): string {
    return this.#key(`queue:${op}`);
  }

  #state(uri: string): string {
    return this.#key(`doc:${uri}`);
  }
}

function takenOf(reply: unknown): Taken {
  // Safe: the scripts answer a number, then strings.
  const [code, ...uris] = reply as [number, ...string[]];
  if (code === 0) return { uris };
  return code < 0 ? undefined : { waitMs: code };
}
