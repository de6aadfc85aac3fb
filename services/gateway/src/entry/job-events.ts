import type { Request, Response } from 'express';
import { type JobView, ManuelError, type StoredEvent, type UserEvent, isTerminal } from '@manuel/contracts';
import { type EventSubscription, isEventId } from '@manuel/queues';
import type { Gateway } from '../context.ts';
import type { Caller } from '../domain/caller.ts';

/** Redis' clock may be behind ours: a job's first events are looked for from this much before its creation. */
const clockSlackMs = 60_000;
/** A missed event is harmless: the job itself is looked at this often. */
const lookAgainMs = 5000;

const jobOf = (event: UserEvent): string => (event.type === 'job' ? event.job.id : event.job_id);

function dataOf(event: UserEvent): unknown {
  if (event.type === 'job') return event.job;
  const { type: _type, ...data } = event;
  return data;
}

/** Where to begin: after the client's last event, or before the job's first. */
function beginAfter(request: Request, view: JobView): string {
  const last = request.get('last-event-id');
  if (last === undefined || last === '') return `${Math.max(0, Date.parse(view.created_at) - clockSlackMs)}-0`;
  if (isEventId(last)) return last;
  throw new ManuelError('validation_failed', 'Last-Event-ID is not an id of ours.', {
    errors: [{ path: 'Last-Event-ID', message: 'is not an event id' }],
  });
}

/** Resolves when what was written has left, or never will. */
const drained = (response: Response): Promise<void> =>
  new Promise((resolve) => {
    const done = (): void => {
      response.off('drain', done).off('close', done);
      resolve();
    };
    response.once('drain', done).once('close', done);
  });

/**
 * The events of one job as a stream: those that are still kept, as fast as they are read, then live ones, each once; ends after
 * the terminal one. A client that reads too slowly is cut, not buffered without end.
 */
export async function streamJobEvents(
  gateway: Gateway,
  to: { caller: Caller; view: JobView; request: Request; response: Response },
): Promise<void> {
  const { caller, view, request, response } = to;
  const { ping_interval_ms, max_buffered_bytes } = gateway.settings.events;
  const after = beginAfter(request, view);
  const ended = new AbortController();
  const end = (): void => ended.abort();
  const over = new Promise<void>((resolve) => ended.signal.addEventListener('abort', () => resolve()));
  let sent = 0;
  // What is told of the job beside its events bears the id of the event before: to resume after it misses nothing.
  let last = after;

  const write = (text: string): void => {
    if (ended.signal.aborted) return;
    if (response.writableLength > max_buffered_bytes) {
      gateway.logger.warn('a slow event stream was cut', { job_id: view.id });
      response.destroy();
    } else response.write(text);
  };
  let read = true;
  /** A ping that has not left when the next one is due: nobody reads. */
  const ping = (): void => {
    // Headers are not ours to send as long as Redis may be away.
    if (!response.headersSent || ended.signal.aborted) return;
    if (read) {
      read = false;
      response.write(': still here\n\n', () => (read = true));
    } else {
      gateway.logger.warn('an event stream that nobody reads was cut', { job_id: view.id });
      response.destroy();
    }
  };
  const emit = (event: UserEvent, id: string): void => {
    sent += 1;
    last = id;
    write(`event: ${event.type}\nid: ${id}\ndata: ${JSON.stringify(dataOf(event))}\n\n`);
    if (event.type === 'job' && isTerminal(event.job.status)) end();
  };
  const listen = ({ id, event }: StoredEvent): Promise<void> | undefined => {
    if (jobOf(event) !== view.id) return undefined;
    emit(event, id);
    return response.writableNeedDrain ? Promise.race([drained(response), over]) : undefined;
  };

  response.status(200);
  response.setHeader('Content-Type', 'text/event-stream; charset=utf-8');
  response.setHeader('Cache-Control', 'no-store');
  response.setHeader('X-Accel-Buffering', 'no');

  const expiry = setTimeout(end, Math.min(caller.expiresAtMs - Date.now(), 2 ** 31 - 1));
  response.once('close', end);
  gateway.stopping.addEventListener('abort', end, { once: true });
  // It may have begun while the job was looked up.
  if (gateway.stopping.aborted) end();
  const resumes = Boolean(request.get('last-event-id'));
  let subscription: EventSubscription | undefined;
  const timers = [setInterval(ping, ping_interval_ms)];
  try {
    // Asked first: what was told by then is in the stream that is read next.
    const toldEnd = resumes && isTerminal(view.status) && (await gateway.hub.hasToldEnd(caller.userId, view.id));
    // Before the first byte, so that Redis being away is still a 503.
    subscription = await gateway.hub.subscribe(caller.userId, listen, after);
    if (toldEnd && sent === 0 && !subscription.gap) {
      // To a browser's EventSource this says: do not come back.
      response.removeHeader('Content-Type');
      response.status(204).end();
      return;
    }
    response.flushHeaders();
    // Who begins has missed nothing: that a stream holds nothing older is then no gap.
    const missed = subscription.gap && resumes;
    if (sent === 0 || missed) {
      const job = (await currentView(gateway, caller, view)) ?? view;
      // What came live while it was looked up says more.
      if (sent === 0 || missed) emit({ type: 'job', job }, last);
    }
    const look = async (): Promise<void> => {
      const now = await currentView(gateway, caller, view);
      if (now && isTerminal(now.status)) emit({ type: 'job', job: now }, last);
    };
    const lookAgain = (): void => {
      look().catch((error: unknown) => gateway.logger.debug('a job could not be looked at', { error }));
    };
    timers.push(setInterval(lookAgain, lookAgainMs));
    await over;
    response.end();
  } finally {
    clearTimeout(expiry);
    for (const timer of timers) clearInterval(timer);
    gateway.stopping.removeEventListener('abort', end);
    subscription?.close();
  }
}

const currentView = (gateway: Gateway, caller: Caller, view: JobView): Promise<JobView | undefined> =>
  gateway.admitter.view(caller.userId, view.id);
