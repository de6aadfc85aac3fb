import type { QueueName } from '@manuel/contracts';
import type { Job } from 'bullmq';
import type { Redis } from 'ioredis';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { bullScripts } from '../bull/lua-functions.ts';
import type { Marker, OwnCommand, Waiting } from '../bull/own-backend.ts';
import { slotLeaseMs } from '../finish-job.ts';
import { batching } from '../scripts/batch.ts';
import { recoveryTimes } from '../recovery-times.ts';
import { finishArguments } from '../scripts/finish.ts';
import {
  moveArguments,
  moveCommonArguments,
  moveScript,
  movedKeys,
  takeAheadScript,
  takeScript,
} from '../scripts/move.ts';
import { run, type ScriptArgument, type ScriptReply } from '../scripts/script.ts';
import type { QueueContext } from '../context.ts';
import { watchRedisClock } from './redis-clock.ts';

const nothingToFinish: readonly ScriptArgument[] = Array.from({ length: finishArguments }, () => '');
/** Milliseconds until Redis is asked for a job again that it refused to give. */
const faultPauseMs = 500;
const { moveToActive, moveToFinished } = bullScripts;
const { first: movedFrom, count: movedCount } = movedKeys;
const leftOpen: readonly ScriptArgument[] = Array.from({ length: movedCount }, () => '');

/**
 * How a worker's jobs move: BullMQ takes and ends them by its own scripts, and what we do at a start and at an end goes along in
 * the same round trip.
 */
export interface Moves {
  /** For `ownBackend`. */
  readonly own: ReadonlyMap<string, OwnCommand>;
  readonly waiting: Waiting;
  /** Lock token of the job that BullMQ is given next; undefined: the one that it asked with. */
  tokenOfTaken(): string | undefined;
  /** What was decided on the job when it was taken; undefined when it was taken in another way. Given once. */
  verdictOn(job: Pick<Job, 'id' | 'attemptsStarted'>): ScriptReply | undefined;
  /** Leaves `finishScript`'s arguments for a job to the moment when BullMQ ends it; `done` is called behind that. */
  finishWithMove(jobId: string, args: readonly ScriptArgument[], done: () => void): void;
}

export interface MovesOptions {
  readonly redis: Redis;
  readonly queue: QueueName;
  readonly handled: Iterable<string>;
  /** Promotes a parked job that got a slot. */
  readonly promote: (jobId: string) => void;
}

export function createMoves(
  context: Pick<QueueContext, 'settings' | 'now'>,
  { redis, queue, handled, promote }: MovesOptions,
): Moves {
  const { settings } = context;
  const { lockMs } = recoveryTimes(settings);
  const { prefix } = settings.redis;
  const redisAheadMs = watchRedisClock(redis);
  const names = `,${[...handled].join(',')},`;
  /** By job, with the number of the taking that it is about. */
  const verdicts = new Map<string, { readonly taking: string; readonly reply: ScriptReply }>();
  const endings = new Map<string, { readonly args: readonly ScriptArgument[]; readonly done: () => void }>();

  const common = (now = context.now(), lease = now + slotLeaseMs(settings)): ScriptArgument[] => {
    const { events } = settings;
    return [
      queue,
      now,
      lease,
      settings.queue.max_active_per_user,
      events.stream_max_length,
      events.stream_ttl_s,
      events.stream_ttl_s,
      names,
    ];
  };

  function keepVerdict(next: ScriptReply | undefined, verdict: ScriptReply | undefined): void {
    if (!Array.isArray(next) || !Array.isArray(verdict)) return;
    const [taking, ...reply] = verdict;
    verdicts.set(String(next[1]), { taking: String(taking), reply });
  }

  /**
   * Redis said just now that no job is left: what BullMQ's `moveToActive` answers then. Only for the one question that follows on
   * its reply: a marker that another socket brings in the same turn of the event loop may be about a job that came behind it,
   * and is used up by being read.
   */
  let nothingThere: readonly number[] | undefined;
  let lastTake: readonly ScriptArgument[] | undefined;

  function taken(reply: ScriptReply): ScriptReply | undefined {
    const [next, verdict, delayedUntil] = partsOf(reply, moveToActive.name);
    keepVerdict(next, verdict);
    // BullMQ asks again at once where a delayed job is due.
    if (typeof delayedUntil === 'number' && (delayedUntil === 0 || delayedUntil > context.now())) {
      nothingThere = [0, 0, 0, delayedUntil];
      process.nextTick(() => (nothingThere = undefined));
    }
    return next;
  }

  async function take(args: readonly ScriptArgument[]): Promise<unknown> {
    // A worker with free places asks for another job before it begins with the one it got: not over the wire, if the answer is
    // known.
    if (nothingThere) {
      const known = nothingThere;
      nothingThere = undefined;
      return known;
    }
    lastTake = args;
    return taken(await run(redis, takeScript, prefix, [...common(), ...args]).catch(afterAPause));
  }

  interface Ahead {
    readonly reply: ScriptReply;
    readonly token: string;
    readonly until: number;
  }
  /** Replies of takes that were sent ahead. More than one only after a wait that BullMQ gave up. */
  const ahead: Ahead[] = [];

  /** One that nobody fetched in time is left to whoever finds its lock lapsed. */
  function firstAhead(): Ahead | undefined {
    while (ahead[0] && performance.now() > ahead[0].until) ahead.shift();
    return ahead[0];
  }

  /**
   * An idle worker would wait for a marker, then ask for the job. Here its question is sent along with the wait, on the same
   * connection, and so answered in the moment when the wait is over: a round trip less for each job that comes alone.
   */
  async function waitAndTake(blocking: Redis, wait: () => Promise<Marker>): Promise<Marker> {
    const now: Marker = ['', '0', '0'];
    if (firstAhead()) return now;
    if (!lastTake || blocking.status !== 'ready') return wait();
    const token = randomUUID();
    // It runs by Redis' clock.
    const clock = context.now() - Date.now() - redisAheadMs();
    const { stream } = blocking;
    const sent = performance.now();
    stream.cork();
    const waited = wait();
    const args = [...common(clock, slotLeaseMs(settings)), ...lastTake, token];
    // BullMQ asks itself where this was refused, and says what is wrong.
    const asked = run(blocking, takeAheadScript, prefix, args).catch(() => undefined);
    stream.uncork();
    const [marker, reply] = await Promise.all([waited, asked]);
    if (reply === undefined) return marker;
    const [next] = partsOf(reply, moveToActive.name);
    const isJob = Array.isArray(next) && Array.isArray(next[0]);
    // A marker for a delayed job says when it is due, and BullMQ does not ask before.
    if (!isJob && marker !== null && Number(marker[2]) > 0) return marker;
    // A host that stood still reads it long after: another may have the job by now.
    if (isJob && performance.now() - sent > lockMs / 2 && !(await keepLock(String(next[1]), token))) return marker;
    ahead.push({ reply, token, until: performance.now() + lockMs / 2 });
    return isJob ? now : marker;
  }

  /** Renews the lock of a job that was taken. False: it has lapsed, or Redis does not say. */
  async function keepLock(jobId: string, token: string): Promise<boolean> {
    const lock = `${prefix}:${queue}:${jobId}:lock`;
    const replies = await redis
      .multi()
      .get(lock)
      .pexpire(lock, lockMs)
      .exec()
      .catch(() => null);
    return replies?.[0]?.[1] === token;
  }

  let keys: readonly ScriptArgument[] = [];
  const move = batching(ownerFirst, redis, moveScript, prefix, () => [...common(), ...keys]);

  async function finish(args: readonly ScriptArgument[]): Promise<unknown> {
    const ofQueue = args.slice(0, moveToFinished.keys);
    const ofJob = ofQueue.splice(movedFrom, movedCount, ...leftOpen);
    keys = ofQueue;
    const own = args.slice(moveToFinished.keys);
    const jobId = String(own[0]);
    const ending = endings.get(jobId);
    const reply = await move([...ofJob, ...own, ...(ending?.args ?? nothingToFinish)]);
    // Only now: BullMQ tries again after a fault.
    endings.delete(jobId);
    ending?.done();
    const [next, parked, verdict] = partsOf(reply, moveToFinished.name);
    if (typeof parked === 'string') promote(parked);
    keepVerdict(next, verdict);
    return next;
  }

  return {
    own: new Map([
      [moveToActive.name, take],
      [moveToFinished.name, finish],
    ]),
    waiting: {
      wait: waitAndTake,
      taken: () => {
        const first = firstAhead();
        ahead.shift();
        // Safe: as Redis gives it, which is an array.
        return first && (taken(first.reply) as unknown[]);
      },
    },
    tokenOfTaken: () => firstAhead()?.token,
    verdictOn({ id = '', attemptsStarted }) {
      const kept = verdicts.get(id);
      verdicts.delete(id);
      return kept?.taking === String(attemptsStarted) ? kept.reply : undefined;
    },
    finishWithMove(jobId, args, done) {
      endings.set(jobId, { args, done });
    },
  };
}

/** Arguments of `moveScript` for one job, but the prefix. */
const ofOneJob = moveCommonArguments - 1 + moveToFinished.keys + moveArguments;

/**
 * A lone job's owner hears of its end before we hear that it was taken down. Redis sends to the client that it last had something
 * for first, which would be us, and only then to the gateways; but who has a reply waiting already keeps that place.
 */
const ownerFirst: typeof run = (redis, script, prefix, args) => {
  if (args.length > ofOneJob || redis.status !== 'ready') return run(redis, script, prefix, args);
  const { stream } = redis;
  stream.cork();
  // What goes wrong with it goes wrong with the script, too.
  redis.ping().catch(() => undefined);
  const reply = run(redis, script, prefix, args);
  stream.uncork();
  return reply;
};

/** BullMQ asks again at once, and says so each time: of a Redis that refuses (out of memory, a replica) thousands of times a second. */
async function afterAPause(error: unknown): Promise<never> {
  await sleep(faultPauseMs);
  throw error;
}

function partsOf(reply: ScriptReply, what: string): readonly ScriptReply[] {
  if (!Array.isArray(reply)) throw new Error(`${what} answered ${String(reply)}`);
  return reply;
}
