import type { Envelope, Progress } from '@manuel/contracts';
import { progressScript, publishScript } from '../scripts/events.ts';
import { run } from '../scripts/script.ts';
import type { WorkerContext } from './worker-context.ts';

/**
 * Publishes what happens inside one run: progress steps and pieces of the answer, in order. A piece goes out at once when
 * nothing is on its way; what comes meanwhile is gathered into the next message.
 */
export class RunPublisher {
  readonly #context: WorkerContext;
  readonly #envelope: Envelope;
  #seq = 0;
  #pending: string[] = [];
  #flying = false;
  #last: Progress | undefined;
  #closed = false;

  constructor(context: WorkerContext, envelope: Envelope) {
    this.#context = context;
    this.#envelope = envelope;
    this.#last = envelope.carried?.progress;
  }

  get last(): Progress | undefined {
    return this.#last;
  }

  /** A percentage never goes back. */
  async progress(progress: Progress): Promise<void> {
    if (this.#closed) return;
    const { settings, queue, redis, keys } = this.#context;
    const percent = Math.max(progress.percent, this.#last?.percent ?? 0);
    const transcription = progress.transcription ?? this.#last?.transcription;
    this.#last = { ...progress, percent, ...(transcription === undefined ? {} : { transcription }) };
    this.#send();
    await run(redis, progressScript, keys.prefix, [
      queue,
      this.#envelope.id,
      this.#envelope.user_id,
      JSON.stringify(this.#last),
      JSON.stringify({ type: 'progress', job_id: this.#envelope.id, progress: this.#last }),
      settings.events.stream_max_length,
      settings.events.stream_ttl_s,
      percent,
    ]);
  }

  token(text: string): void {
    if (this.#closed || text === '') return;
    this.#pending.push(text);
    if (!this.#flying) this.#send();
  }

  /** Sends what is left; nothing is published after. The terminal event follows on the same connection, so behind it. */
  close(): void {
    this.#send();
    this.#closed = true;
  }

  #send(): void {
    if (this.#pending.length === 0) return;
    const event = {
      type: 'token',
      job_id: this.#envelope.id,
      seq: this.#seq,
      text: this.#pending.join(''),
    };
    this.#seq += 1;
    this.#pending = [];
    this.#flying = true;
    const { settings, redis, keys, logger } = this.#context;
    run(redis, publishScript, keys.prefix, [
      this.#envelope.user_id,
      settings.events.stream_max_length,
      settings.events.stream_ttl_s,
      JSON.stringify(event),
    ])
      // A lost piece is not fatal: the result holds the whole answer.
      .catch((error: unknown) => logger.warn('a piece of an answer was not published', { error }))
      .finally(() => {
        this.#flying = false;
        if (!this.#closed) this.#send();
      });
  }
}
