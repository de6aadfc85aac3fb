import { type JobView, type StoredEvent, jobClasses, operations, userEventSchema } from '@manuel/contracts';
import type { Logger } from '@manuel/telemetry';
import { z } from 'zod';
import { compareEventIds } from './event-id.ts';
import { toJobView } from './to-job-view.ts';

/** Takes an event. While what was missed is delivered, the next one waits for a promise that it returns. */
export type Deliver = (stored: StoredEvent) => unknown;

/** Live events that wait while what was missed is delivered; beyond that they are read from the stream, which holds them too. */
const mostHeld = 100;

/** One client's view of a user's stream: in order, each once, from where it left off. */
interface Listener {
  readonly deliver: Deliver;
  last: string;
  removed: boolean;
  /** Undefined: it is live. */
  catchingUp: { readonly held: StoredEvent[]; overrun: boolean } | undefined;
}

export interface ListenerHandle {
  /** Where the listener begins: what came up to this id is not for it. */
  startAfter(id: string): void;
  last(): string;
  /**
   * Holds live events back: what was missed comes first. Of two that catch up the later takes over. The first part is
   * synchronous.
   */
  catchUp(): CatchingUp;
  remove(): void;
}

export interface CatchingUp {
  /** False when another has taken over, or nobody listens any more. */
  current(): boolean;
  deliver(stored: readonly StoredEvent[]): Promise<void>;
  /** Goes live behind what came meanwhile. False: that was more than is held, so the stream must be read again. */
  goLive(): Promise<boolean>;
}

/** Fans a user's live events out to that user's listeners in this process. */
export class UserEvents {
  readonly #listeners = new Set<Listener>();
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  get idle(): boolean {
    return this.#listeners.size === 0;
  }

  /** The listener is live from here on. */
  add(deliver: Deliver): ListenerHandle {
    const listener: Listener = { deliver, last: '0-0', removed: false, catchingUp: undefined };
    this.#listeners.add(listener);
    return {
      startAfter: (id) => {
        listener.last = id;
      },
      last: () => listener.last,
      catchUp: () => this.#catchUp(listener),
      remove: () => {
        listener.removed = true;
        this.#listeners.delete(listener);
      },
    };
  }

  live(stored: StoredEvent): void {
    for (const listener of this.#listeners) {
      const { catchingUp } = listener;
      if (catchingUp === undefined) void this.#send(listener, stored);
      else if (!catchingUp.overrun && catchingUp.held.length < mostHeld) catchingUp.held.push(stored);
      else catchingUp.overrun = true;
    }
  }

  #catchUp(listener: Listener): CatchingUp {
    const own: NonNullable<Listener['catchingUp']> = { held: [], overrun: false };
    listener.catchingUp = own;
    const current = (): boolean => listener.catchingUp === own && !listener.removed;
    return {
      current,
      deliver: async (events) => {
        for (const stored of events) {
          if (!current()) return;
          await this.#send(listener, stored);
        }
      },
      goLive: async () => {
        for (;;) {
          if (!current()) return true;
          const next = own.held.shift();
          if (next) await this.#send(listener, next);
          else if (own.overrun) {
            own.overrun = false;
            return false;
          } else {
            listener.catchingUp = undefined;
            return true;
          }
        }
      },
    };
  }

  /** Undefined when the listener waits for nothing. */
  #send(listener: Listener, stored: StoredEvent): Promise<void> | undefined {
    if (compareEventIds(stored.id, listener.last) <= 0) return undefined;
    listener.last = stored.id;
    // One client's fault must not keep the event from the others.
    const failed = (error: unknown): void => this.#logger.error('a listener failed on an event', { error });
    try {
      const taken = listener.deliver(stored);
      return taken instanceof Promise ? taken.catch(failed) : undefined;
    } catch (error) {
      failed(error);
      return undefined;
    }
  }
}

/** A job's first start, as a worker's script tells it (see `startLua`): what its readers make a whole view of. */
const startedSchema = z.object({
  type: z.literal('started'),
  job: z.object({
    id: z.string(),
    operation: z.enum(operations),
    class: z.enum(jobClasses),
    created_at: z.number(),
    started_at: z.number(),
    attempts: z.number(),
  }),
});

function viewOfStarted({ job }: z.infer<typeof startedSchema>): JobView {
  const { id: job_id, ...facts } = job;
  return toJobView({ job_id, status: 'active', ...facts });
}

const toldSchema = z.discriminatedUnion('type', [...userEventSchema.options, startedSchema]);

/** An event as it lies in the stream; undefined for one that this version does not know. */
export function parseEvent(id: string, json: string): StoredEvent | undefined {
  const { data } = toldSchema.safeParse(JSON.parse(json));
  if (data === undefined) return undefined;
  return { id, event: data.type === 'started' ? { type: 'job', job: viewOfStarted(data) } : data };
}
