import { type JobView, isTerminal } from '@manuel/contracts';
import { connectProducer, connectSubscriber, disconnect, orUnavailable, readyOrLate } from './connections.ts';
import { compareEventIds } from './event-id.ts';
import { type StreamRead, newestId, readAfter } from './event-stream.ts';
import { keysOf } from './keys.ts';
import type { EventHub, EventSubscription, QueueDependencies } from './types.ts';
import { type CatchingUp, type Deliver, type ListenerHandle, UserEvents, parseEvent } from './user-events.ts';

/** Milliseconds a channel stays subscribed after its last listener: clients come and go. */
const lingerMs = 10_000;
/** Milliseconds after which a waiter reads the job again, should an event have been lost. */
const rereadMs = 5000;

/** Channels that one command subscribes. */
const channelsAtOnce = 500;
/** Milliseconds until streams that could not be read after a reconnect are tried again. */
const retryMs = 500;

type OnGap = (after: string) => void;

interface Channel {
  readonly userId: string;
  readonly events: UserEvents;
  /** With whom to tell of a gap. */
  readonly handles: Map<ListenerHandle, OnGap>;
  /** Settles with the latest subscription. */
  ready: Promise<unknown>;
  lingering: NodeJS.Timeout | undefined;
}

/**
 * Events of the users connected to this process: one subscriber connection, one channel a user, however many clients. The
 * stream is the record, pub/sub only the quick way; after a lost connection every listener reads its stream again from where
 * it was. `view` re-reads a job for waiters.
 */
export async function createEventHub(
  deps: QueueDependencies,
  view: (userId: string, jobId: string) => Promise<JobView | undefined>,
): Promise<EventHub> {
  const { settings, logger } = deps;
  const keys = keysOf(settings.redis.prefix);
  const subscriber = connectSubscriber(settings, logger);
  const reader = connectProducer(settings, logger);
  const channels = new Map<string, Channel>();
  let closed = false;

  subscriber.on('message', (name: string, message: string) => {
    const channel = channels.get(name);
    const space = message.indexOf(' ');
    if (!channel || space < 0) return;
    const stored = parseEvent(message.slice(0, space), message.slice(space + 1));
    if (stored) channel.events.live(stored);
  });

  /** Changes whenever pub/sub may have had a gap. */
  let generation = 0;

  interface Part extends StreamRead {
    readonly generation: number;
  }

  const subscribed = (channel: Channel): Promise<unknown> =>
    orUnavailable(() => {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<never>((_resolve, reject) => {
        timer = setTimeout(() => reject(new Error('Command timed out')), settings.redis.command_timeout_ms);
      });
      return Promise.race([channel.ready, late]).finally(() => clearTimeout(timer));
    });

  /** Only once what comes next comes live. */
  async function read(channel: Channel, after: string): Promise<Part> {
    await subscribed(channel);
    const before = generation;
    const { userId } = channel;
    return { ...(await readAfter({ redis: reader, keys, userId, view }, after)), generation: before };
  }

  /** Delivers what was missed, part by part as fast as it is taken, beginning with `first`. True: some of it is kept no more. */
  async function deliverMissed(
    channel: Channel,
    handle: ListenerHandle,
    catchingUp: CatchingUp,
    first: Part,
  ): Promise<boolean> {
    let part = first;
    let { gap } = first;
    for (;;) {
      await catchingUp.deliver(part.events);
      const { moreAfter } = part;
      if (moreAfter === undefined && part.generation === generation && (await catchingUp.goLive())) return gap;
      if (!catchingUp.current()) return gap;
      // A part may end with what this version does not know.
      const last = handle.last();
      part = await read(channel, moreAfter !== undefined && compareEventIds(moreAfter, last) > 0 ? moreAfter : last);
      gap ||= part.gap;
    }
  }

  function subscribeAgain(): void {
    const all = [...channels];
    for (let i = 0; i < all.length; i += channelsAtOnce) {
      const some = all.slice(i, i + channelsAtOnce);
      const ready = subscriber.subscribe(...some.map(([name]) => name));
      // Whoever reads finds it.
      ready.catch(() => undefined);
      for (const [, channel] of some) channel.ready = ready;
    }
  }

  /**
   * After a reconnect: pub/sub had a gap, the streams have not. All listeners are held before the channels are subscribed again: an
   * event that came live first would hide what came before it.
   */
  async function catchUpAll(): Promise<void> {
    const held = [...channels.values()].flatMap((channel) =>
      [...channel.handles].map(([handle, onGap]) => ({ channel, handle, onGap, catchingUp: handle.catchUp() })),
    );
    subscribeAgain();
    for (const { channel, handle, onGap, catchingUp } of held) {
      if (!catchingUp.current()) continue;
      const after = handle.last();
      const first = await read(channel, after);
      // Not waited for: a client that takes its time must not keep the others waiting.
      deliverMissed(channel, handle, catchingUp, first)
        .then((gap) => gap && onGap(after))
        .catch(catchUpLater);
    }
  }
  let again: NodeJS.Timeout | undefined;
  function catchUpLater(why: unknown): void {
    if (closed || again) return;
    logger.warn('events could not be read after a reconnect, trying again', { error: why });
    again = setTimeout(() => {
      again = undefined;
      catchUpAll().catch(catchUpLater);
    }, retryMs);
    again.unref();
  }
  subscriber.on('ready', () => {
    generation += 1;
    if (generation > 1) catchUpAll().catch(catchUpLater);
  });

  function channelOf(userId: string): Channel {
    const name = keys.channel(userId);
    const known = channels.get(name);
    if (known) {
      clearTimeout(known.lingering);
      known.lingering = undefined;
      return known;
    }
    const channel: Channel = {
      userId,
      events: new UserEvents(logger),
      handles: new Map(),
      ready: subscriber.subscribe(name),
      lingering: undefined,
    };
    channel.ready.catch(() => channels.delete(name));
    channels.set(name, channel);
    return channel;
  }

  function leave(channel: Channel): void {
    if (!channel.events.idle || channel.lingering) return;
    channel.lingering = setTimeout(() => {
      const name = keys.channel(channel.userId);
      channels.delete(name);
      subscriber.unsubscribe(name).catch((error: unknown) => logger.debug('could not unsubscribe', { error }));
    }, lingerMs);
    channel.lingering.unref();
  }

  async function subscribe(
    userId: string,
    deliver: Deliver,
    lastEventId?: string,
    onGap: OnGap = () => undefined,
  ): Promise<EventSubscription> {
    const channel = channelOf(userId);
    const listener = channel.events.add(deliver);
    const catchingUp = listener.catchUp();
    const close = (): void => {
      listener.remove();
      channel.handles.delete(listener);
      leave(channel);
    };
    try {
      const first = await orUnavailable(async (): Promise<Part> => {
        if (lastEventId !== undefined) return read(channel, lastEventId);
        await subscribed(channel);
        const before = generation;
        const newest = await newestId(reader, keys.stream(userId));
        return { events: [], moreAfter: undefined, gap: false, newest, generation: before };
      });
      // An id from the future would swallow what is to come.
      listener.startAfter(first.gap ? '0-0' : (lastEventId ?? first.newest));
      channel.handles.set(listener, onGap);
      const gap = await orUnavailable(() => deliverMissed(channel, listener, catchingUp, first));
      return { gap, close };
    } catch (error) {
      close();
      throw error;
    }
  }

  async function waitForEnd(
    userId: string,
    jobId: string,
    timeoutMs: number,
    signal?: AbortSignal,
  ): Promise<JobView | undefined> {
    const channel = channelOf(userId);
    let settle: (ended: JobView | undefined) => void = () => undefined;
    const ended = new Promise<JobView | undefined>((resolve) => (settle = resolve));
    const listener = channel.events.add(({ event }) => {
      if (event.type === 'job' && event.job.id === jobId && isTerminal(event.job.status)) settle(event.job);
    });
    const stop = (): void => settle(undefined);
    const timer = setTimeout(stop, timeoutMs);
    signal?.addEventListener('abort', stop, { once: true });
    const reread = (): void => {
      view(userId, jobId).then(
        (job) => {
          if (job && isTerminal(job.status)) settle(job);
        },
        (error: unknown) => logger.debug('a waiting reader could not read its job', { job_id: jobId, error }),
      );
    };
    // The job may have ended before the channel was ours.
    channel.ready.then(reread, reread);
    const again = setInterval(reread, rereadMs);
    try {
      const job = await ended;
      if (job || signal?.aborted) return job;
      const last = await view(userId, jobId);
      return last && isTerminal(last.status) ? last : undefined;
    } finally {
      clearTimeout(timer);
      clearInterval(again);
      signal?.removeEventListener('abort', stop);
      listener.remove();
      leave(channel);
    }
  }

  await Promise.all([readyOrLate(subscriber), readyOrLate(reader)]);
  return {
    subscribe,
    waitForEnd,
    async hasToldEnd(userId, jobId) {
      const view = await orUnavailable(() => reader.get(keys.view(userId, jobId)));
      // A blank behind it: not yet (see `finishLua`).
      return view !== null && !view.endsWith(' ');
    },
    lastEventId: (userId) => orUnavailable(() => newestId(reader, keys.stream(userId))),
    async close() {
      closed = true;
      clearTimeout(again);
      for (const channel of channels.values()) clearTimeout(channel.lingering);
      channels.clear();
      await Promise.all([disconnect(subscriber), disconnect(reader)]);
    },
  };
}
