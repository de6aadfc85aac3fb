import {
  type ClientMessage,
  type JobView,
  type Ref,
  type ServerMessage,
  type StoredEvent,
  isTerminal,
  toProblem,
} from '@manuel/contracts';
import { type EventSubscription, compareEventIds } from '@manuel/queues';
import type { WebSocket } from 'ws';
import type { Gateway } from '../../context.ts';
import type { Caller } from '../../domain/caller.ts';
import { jobsSince } from '../../domain/jobs-since.ts';
import { toManuelError } from '../http/problem.ts';
import type { RateLimits } from '../http/rate-limit.ts';
import { jobOf } from './job-of.ts';
import { noSuchJob } from '../operations/jobs.ts';
import { submitOperation } from '../submit-operation.ts';
import { LiveMicrophone } from './live-microphone.ts';
import { parseMessage } from './parse-message.ts';
import { closeCodes, closeSocket, sendMessage } from './send.ts';

const longestTimerMs = 2 ** 31 - 1;
/** Time for a client that comes back to say so, before new events are sent. */
const resumeGraceMs = 100;
/** Bytes of a text message; frames of sound may be larger. */
const largestText = 64 * 1024;
/** Bytes of what was missed that are sent ahead of what has left. */
const aheadBytes = 64 * 1024;
/** Jobs of which is known how they were told: those that `jobsSince` looks at. */
const mostTold = 100;
/** Messages of one client that may wait for their turn. */
const mostWaiting = 250;

type Command = Exclude<ClientMessage, { type: 'audio_start' | 'audio_end' }>;

/**
 * One client on `/ws`: its events out, its messages in, one at a time and in order. Sound does not wait for its turn: it
 * cannot be late, and nothing else waits for it.
 */
export class Connection {
  readonly #gateway: Gateway;
  readonly #limits: RateLimits;
  readonly #socket: WebSocket;
  readonly #caller: Caller;
  readonly #expiry: NodeJS.Timeout;
  readonly #microphone: LiveMicrophone;
  #subscription: EventSubscription | undefined;
  #work: Promise<void>;
  #waiting = 0;
  /** The first message's beginning, or undefined when none came in time. */
  readonly #first = Promise.withResolvers<string | undefined>();
  /** Newest event at the hello. */
  #liveAfter = '0-0';
  #sentUpTo: string | undefined;
  /** How the latest jobs were told to stand, and by which event. */
  readonly #told = new Map<string, { readonly id: string; readonly status: JobView['status'] }>();
  /** Events that came while a submission is on its way. */
  #held: StoredEvent[] | undefined;
  /** False when a ping has not been answered. */
  alive = true;

  constructor(gateway: Gateway, limits: RateLimits, socket: WebSocket, caller: Caller) {
    this.#gateway = gateway;
    this.#limits = limits;
    this.#socket = socket;
    this.#caller = caller;
    this.#microphone = new LiveMicrophone(gateway, limits, caller, {
      send: (message) => this.#send(message),
      fail: (error, ref) => this.#fail(error, ref),
      pause: (full) => (full ? socket.pause() : socket.resume()),
    });
    socket.on('pong', () => (this.alive = true));
    socket.on('message', (data: Buffer, binary: boolean) => this.#receive(data, binary));
    socket.on('error', (error) => gateway.logger.debug('a WebSocket broke', { user_id: caller.userId, error }));
    socket.on('close', () => this.#closed());
    this.#expiry = setTimeout(
      () => closeSocket(socket, closeCodes.expired, 'the token has expired'),
      Math.min(Math.max(0, caller.expiresAtMs - Date.now()), longestTimerMs),
    );
    this.#work = this.#greet();
  }

  #send(message: ServerMessage, sent?: () => void): void {
    sendMessage(this.#socket, message, this.#gateway.settings.events.max_buffered_bytes, sent);
  }

  /**
   * Says hello and begins with what comes after it, unless the client's first message is `resume`: then that is where it
   * begins, so that missed events come before new ones.
   */
  async #greet(): Promise<void> {
    try {
      const lastEventId = await this.#gateway.hub.lastEventId(this.#caller.userId);
      this.#send({ type: 'hello', last_event_id: lastEventId });
      this.#liveAfter = lastEventId;
      const timer = setTimeout(() => this.#first.resolve(undefined), resumeGraceMs);
      const first = await this.#first.promise;
      clearTimeout(timer);
      if (first?.includes('"resume"') !== true) await this.#subscribe(lastEventId);
    } catch (error) {
      this.#giveUp(error);
    }
  }

  #orGiveUp(work: Promise<void>): Promise<void> {
    return work.catch((error: unknown) => this.#giveUp(error));
  }

  /** A connection without events would look as if nothing happened. */
  #giveUp(error: unknown): void {
    this.#fail(error);
    closeSocket(this.#socket, closeCodes.tryAgain, 'try again later');
  }

  /** What came after that event; of what is kept no more, how the jobs stand that it may have been about. */
  async #resume(after: string): Promise<void> {
    const { gap } = await this.#subscribe(after);
    if (gap) await this.#tellStanding(after);
  }

  /** How the jobs stand that events after that one may have been about, some of which are gone. */
  async #tellStanding(after: string): Promise<void> {
    const jobs = await jobsSince(this.#gateway, this.#caller, Number(after.split('-')[0]));
    for (const job of jobs) {
      const told = this.#told.get(job.id);
      // Where a later event of a job was there, those behind it are, too.
      const known = told && (isTerminal(told.status) || !isTerminal(job.status) || compareEventIds(told.id, after) > 0);
      if (!known) this.#tellJob(job);
    }
  }

  /** A job as it stands, without an event of its own: under the id before. */
  #tellJob(job: JobView): void {
    const id = this.#sentUpTo ?? this.#liveAfter;
    this.#keepTold(id, job);
    this.#send({ type: 'job', id, job });
  }

  #keepTold(id: string, { id: jobId, status }: JobView): void {
    this.#told.delete(jobId);
    this.#told.set(jobId, { id, status });
    if (this.#told.size <= mostTold) return;
    const [oldest = ''] = this.#told.keys();
    this.#told.delete(oldest);
  }

  async #subscribe(after: string): Promise<EventSubscription> {
    this.#subscription?.close();
    const [from, to] = [this.#liveAfter, this.#sentUpTo];
    const listen = (stored: StoredEvent): Promise<void> | undefined => {
      // A late resume goes back before what was sent live already: each event once.
      if (to !== undefined && compareEventIds(stored.id, from) > 0 && compareEventIds(stored.id, to) <= 0)
        return undefined;
      if (this.#held) {
        this.#held.push(stored);
        return undefined;
      }
      return this.#tell(stored);
    };
    const onGap = (since: string): void => this.#inTurn(undefined, () => this.#orGiveUp(this.#tellStanding(since)));
    const subscription = await this.#gateway.hub.subscribe(this.#caller.userId, listen, after, onGap);
    this.#subscription = subscription;
    // The client may have gone while Redis was asked.
    if (this.#socket.readyState > this.#socket.OPEN) this.#closed();
    return subscription;
  }

  /** Where much is on its way already: resolves when it has left. What was missed waits for that, what is new does not. */
  #tell(stored: StoredEvent): Promise<void> | undefined {
    if (stored.event.type === 'job') this.#keepTold(stored.id, stored.event.job);
    if (this.#sentUpTo === undefined || compareEventIds(stored.id, this.#sentUpTo) > 0) this.#sentUpTo = stored.id;
    const message = { ...stored.event, id: stored.id };
    if (this.#socket.bufferedAmount > aheadBytes) return new Promise((sent) => this.#send(message, sent));
    this.#send(message);
    return undefined;
  }

  /** Submits, and tells the client before any event of the job: one that knows no such job would drop them. */
  async #submit({ operation, body, ref }: Extract<Command, { type: 'submit' }>): Promise<void> {
    const held: StoredEvent[] = [];
    this.#held = held;
    try {
      const submitted = await submitOperation(this.#gateway, this.#caller, operation, body);
      const job = jobOf(submitted, operation);
      if (submitted.kind === 'result') await this.#gateway.admitter.keep(this.#caller.userId, job);
      this.#send({ type: 'accepted', ref, job });
      // What was there at once has no events; who waits for the job's end hears of it all the same, under the id before.
      if (submitted.kind === 'result') this.#tellJob(job);
    } finally {
      this.#held = undefined;
      for (const stored of held) void this.#tell(stored);
    }
  }

  #receive(data: Buffer, binary: boolean): void {
    this.#first.resolve(binary ? undefined : data.subarray(0, 200).toString('utf8'));
    if (binary) {
      // Who sends is there, even where a pong waits behind frames that are held back.
      this.alive = true;
      this.#microphone.frame(data);
      return;
    }
    if (data.length > largestText) {
      closeSocket(this.#socket, closeCodes.tooLarge, 'the message is too large');
      return;
    }
    if (this.#waiting >= mostWaiting) {
      closeSocket(this.#socket, closeCodes.slow, 'too many messages at once');
      return;
    }
    const read = parseMessage(data);
    if (read.kind === 'wrong') {
      if (read.type === 'audio_start') this.#microphone.refuseStart();
      this.#inTurn(read.ref, () => Promise.reject(read.error));
    } else if (read.message.type === 'audio_start') this.#microphone.start(read.message);
    else if (read.message.type === 'audio_end') this.#microphone.end();
    else {
      const { message } = read;
      this.#inTurn('ref' in message ? message.ref : undefined, () => this.#act(message));
    }
  }

  #inTurn(ref: Ref | undefined, act: () => Promise<void>): void {
    this.#waiting += 1;
    this.#work = this.#work
      .then(act)
      .catch((error: unknown) => this.#fail(error, ref))
      .finally(() => {
        this.#waiting -= 1;
      });
  }

  #fail(error: unknown, ref?: Ref): void {
    const known = toManuelError(error);
    if (!known) this.#gateway.logger.error('a WebSocket message failed', { user_id: this.#caller.userId, error });
    const problem = toProblem(known ?? error, this.#caller.requestId);
    this.#send({ type: 'error', ...(ref === undefined ? {} : { ref }), problem });
  }

  async #act(message: Command): Promise<void> {
    switch (message.type) {
      case 'ping':
        this.#send({ type: 'pong' });
        return;
      case 'resume':
        await this.#orGiveUp(this.#resume(message.last_event_id));
        return;
      case 'submit': {
        await this.#limits.countMessage(this.#caller.userId);
        await this.#submit(message);
        return;
      }
      case 'cancel': {
        await this.#limits.countMessage(this.#caller.userId);
        const view = await this.#gateway.admitter.cancel(this.#caller.userId, message.job_id);
        if (!view) throw noSuchJob();
        return;
      }
    }
  }

  /** Pings; a client that has not answered the last one is cut. */
  beat(): void {
    if (!this.alive) {
      this.#socket.terminate();
      return;
    }
    this.alive = false;
    this.#socket.ping();
  }

  /** What is being said is refused, what was said is still accepted; then the socket is closed. */
  async close(code: number, reason: string): Promise<void> {
    await this.#microphone.stopped();
    closeSocket(this.#socket, code, reason);
  }

  /** Resolves when nothing of a socket that is closed is left. */
  settled(): Promise<void> {
    return this.#microphone.closed();
  }

  #closed(): void {
    clearTimeout(this.#expiry);
    this.#first.resolve(undefined);
    this.#subscription?.close();
    this.#subscription = undefined;
  }
}
