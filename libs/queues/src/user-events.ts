import { type JobView, type StoredEvent, jobClasses, operations, userEventSchema } from '@manuel/contracts';
import type { Logger } from '@manuel/telemetry';
import { z } from 'zod';
import { compareEventIds } from './event-id.ts';
import { toJobView } from './to-job-view.ts';

/** One client's view of a user's stream: in order, each once, from where it left off. */
interface Listener {
  deliver(stored: StoredEvent): void;
  last: string;
  /** Live events that came while the stream was being read. Undefined: reading is over. */
  held: StoredEvent[] | undefined;
}

export interface ListenerHandle {
  /** Delivers what the stream holds (in order), then what came live meanwhile. */
  caughtUp(stored: readonly StoredEvent[]): void;
  /** Holds live events back again until `caughtUp`: the connection was lost and some may be missing. */
  hold(): void;
  /** Where the listener begins: what came up to this id is not for it. */
  startAfter(id: string): void;
  last(): string;
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

  add(deliver: (stored: StoredEvent) => void, last: string): ListenerHandle & { remove(): void } {
    const listener: Listener = { deliver, last, held: [] };
    this.#listeners.add(listener);
    return {
      caughtUp: (stored) => {
        const held = listener.held ?? [];
        listener.held = undefined;
        for (const event of stored) this.#send(listener, event);
        for (const event of held) this.#send(listener, event);
      },
      hold: () => {
        listener.held ??= [];
      },
      startAfter: (id) => {
        listener.last = id;
      },
      last: () => listener.last,
      remove: () => this.#listeners.delete(listener),
    };
  }

  live(stored: StoredEvent): void {
    for (const listener of this.#listeners) {
      if (listener.held) listener.held.push(stored);
      else this.#send(listener, stored);
    }
  }

  #send(listener: Listener, stored: StoredEvent): void {
    if (compareEventIds(stored.id, listener.last) <= 0) return;
    listener.last = stored.id;
    try {
      listener.deliver(stored);
    } catch (error) {
      // One client's fault must not keep the event from the others.
      this.#logger.error('a listener failed on an event', { error });
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
