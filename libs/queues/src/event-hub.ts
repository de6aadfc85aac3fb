import { type JobView, type StoredEvent, isTerminal } from '@manuel/contracts';
import { connectProducer, connectSubscriber, disconnect, orUnavailable, readyOrLate } from './connections.ts';
import { compareEventIds } from './event-id.ts';
import { newestId, readAfter } from './event-stream.ts';
import { keysOf } from './keys.ts';
import type { EventHub, EventSubscription, QueueDependencies } from './types.ts';
import { type ListenerHandle, UserEvents, parseEvent } from './user-events.ts';

/** Milliseconds a channel stays subscribed after its last listener: clients come and go. */
const lingerMs = 10_000;
/** Milliseconds after which a waiter reads the job again, should an event have been lost. */
const rereadMs = 5000;

/** Milliseconds until streams that could not be read after a reconnect are tried again. */
const retryMs = 500;

interface Channel {
  readonly userId: string;
  readonly events: UserEvents;
  readonly handles: Set<ListenerHandle>;
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

  async function catchUp(channel: Channel, handle: ListenerHandle): Promise<void> {
    handle.hold();
    const { events } = await readAfter({ redis: reader, keys, userId: channel.userId, view }, handle.last());
    handle.caughtUp(events);
  }

  /** After a reconnect: pub/sub had a gap, the streams have not. Reading starts once the channels are subscribed again. */
  async function catchUpAll(): Promise<void> {
    const names = [...channels.keys()];
    for (let i = 0; i < names.length; i += 500) await subscriber.subscribe(...names.slice(i, i + 500));
    for (const channel of channels.values()) {
      for (const handle of channel.handles) await catchUp(channel, handle);
    }
  }
  let connectedBefore = false;
  const onReady = (): void => {
    if (!connectedBefore) {
      connectedBefore = true;
      return;
    }
    catchUpAll().catch((error: unknown) => {
      if (closed) return;
      logger.warn('events could not be read after a reconnect, trying again', { error });
      setTimeout(onReady, retryMs).unref();
    });
  };
  subscriber.on('ready', onReady);

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
      handles: new Set(),
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

  const subscribed = (channel: Channel): Promise<unknown> =>
    orUnavailable(() => {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<never>((_resolve, reject) => {
        timer = setTimeout(() => reject(new Error('Command timed out')), settings.redis.command_timeout_ms);
      });
      return Promise.race([channel.ready, late]).finally(() => clearTimeout(timer));
    });

  async function subscribe(
    userId: string,
    deliver: (stored: StoredEvent) => void,
    lastEventId?: string,
  ): Promise<EventSubscription> {
    const channel = channelOf(userId);
    const listener = channel.events.add(deliver, '0-0');
    let gap = false;
    try {
      await subscribed(channel);
      if (lastEventId === undefined) {
        const newest = await orUnavailable(() => newestId(reader, keys.stream(userId)));
        listener.startAfter(newest);
        listener.caughtUp([]);
      } else {
        const read = await orUnavailable(() => readAfter({ redis: reader, keys, userId, view }, lastEventId));
        gap = read.gap;
        // An id from the future would swallow what is to come.
        const start = read.gap || compareEventIds(lastEventId, read.newest) > 0 ? '0-0' : lastEventId;
        listener.startAfter(start);
        listener.caughtUp(read.events);
      }
    } catch (error) {
      listener.remove();
      leave(channel);
      throw error;
    }
    channel.handles.add(listener);
    return {
      gap,
      close() {
        listener.remove();
        channel.handles.delete(listener);
        leave(channel);
      },
    };
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
    }, '0-0');
    listener.caughtUp([]);
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
    lastEventId: (userId) => orUnavailable(() => newestId(reader, keys.stream(userId))),
    async close() {
      closed = true;
      for (const channel of channels.values()) clearTimeout(channel.lingering);
      channels.clear();
      await Promise.all([disconnect(subscriber), disconnect(reader)]);
    },
  };
}
