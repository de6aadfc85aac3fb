import { type AudioStart, ManuelError, type Ref, type ServerMessage } from '@manuel/contracts';
import type { Gateway } from '../../context.ts';
import type { Caller } from '../../domain/caller.ts';
import { askLive } from '../../domain/live/ask-live.ts';
import { checkPcmType } from '../../domain/live/pcm-format.ts';
import { Sound, clientsFault } from '../../domain/live/sound.ts';
import type { RateLimits } from '../http/rate-limit.ts';

const stopping = 'This gateway is stopping. Connect again and say it again.';

/** What the microphone needs of its socket. */
export interface MicrophoneSocket {
  send(message: ServerMessage): void;
  /** Tells the client what went wrong; the connection lives on. */
  fail(error: unknown, ref?: Ref): void;
  /** Reads no more frames until it is told to go on. */
  pause(full: boolean): void;
}

interface Session {
  readonly ref: Ref | undefined;
  readonly sound: Sound;
  readonly stop: AbortController;
  /** `audio_end` has come: from now on the answer is wanted even when the client goes away. */
  said: boolean;
  readonly done: Promise<void>;
}

/** The live microphone of one socket: at most one session at a time. */
export class LiveMicrophone {
  readonly #gateway: Gateway;
  readonly #limits: RateLimits;
  readonly #caller: Caller;
  readonly #socket: MicrophoneSocket;
  #session: Session | undefined;
  /** We ended the session, and the client cannot know yet: what it had on its way is dropped, not answered. */
  #ended = false;
  /** A frame that belongs nowhere has been answered; the ones after it say nothing new. */
  #strayTold = false;

  constructor(gateway: Gateway, limits: RateLimits, caller: Caller, socket: MicrophoneSocket) {
    this.#gateway = gateway;
    this.#limits = limits;
    this.#caller = caller;
    this.#socket = socket;
  }

  start(message: AudioStart): void {
    const { ref, content_type, sample_rate } = message;
    if (this.#session) {
      const detail = 'A live recording is open on this connection. Send audio_end and wait for its answer first.';
      this.#socket.fail(new ManuelError('conflict', detail), ref);
      return;
    }
    this.refuseStart();
    try {
      if (this.#gateway.stopping.aborted) throw new ManuelError('unavailable', stopping);
      checkPcmType(content_type, sample_rate);
    } catch (error) {
      this.#socket.fail(error, ref);
      return;
    }
    const stop = new AbortController();
    const sound = new Sound(this.#gateway.settings.transcribe, sample_rate, {
      onPressure: (full) => this.#socket.pause(full),
      onFailure: (error) => stop.abort(error),
    });
    this.#ended = false;
    const { promise: done, resolve } = Promise.withResolvers<void>();
    const session: Session = { ref, sound, stop, said: false, done };
    this.#session = session;
    void this.#run(session, message).then(resolve);
  }

  /** An audio_start was refused before it got here; the frames that follow it are dropped. */
  refuseStart(): void {
    this.#ended = this.#session === undefined;
    this.#strayTold = false;
  }

  frame(data: Buffer): void {
    if (this.#session && !this.#session.said) this.#session.sound.push(data);
    else if (!this.#ended && !this.#strayTold) {
      this.#strayTold = true;
      const detail = 'Binary frames belong between audio_start and audio_end.';
      this.#socket.fail(new ManuelError('validation_failed', detail));
    }
  }

  end(): void {
    this.#strayTold = false;
    if (this.#session && !this.#session.said) {
      this.#session.said = true;
      this.#session.sound.end();
    } else if (this.#ended) this.#ended = false;
    else this.#socket.fail(new ManuelError('validation_failed', 'No recording is open. Send audio_start first.'));
  }

  /** The client is gone. A question that is not said to its end is dropped, one that is said is asked. */
  async closed(): Promise<void> {
    await this.#finish(clientsFault('cancelled', 'The connection was closed.'));
  }

  /** The gateway stops: an unfinished question is refused, a finished one answered. Resolves when nothing is left to say. */
  async stopped(): Promise<void> {
    await this.#finish(clientsFault('unavailable', stopping));
  }

  async #finish(reason: ManuelError): Promise<void> {
    const session = this.#session;
    if (!session) return;
    if (!session.said) {
      session.sound.close();
      session.stop.abort(reason);
    }
    await session.done;
  }

  /** Never throws: how it ends is told to the client. */
  async #run(session: Session, start: AudioStart): Promise<void> {
    const { ref, sound, stop } = session;
    const named = ref === undefined ? {} : { ref };
    const { metrics, logger } = this.#gateway;
    let outcome = 'accepted';
    try {
      await this.#limits.countMessage(this.#caller.userId);
      const job = await askLive(this.#gateway, this.#caller, {
        start,
        sound,
        onPartial: (text) => this.#socket.send({ type: 'partial', ...named, text }),
        signal: stop.signal,
      });
      this.#close(session);
      this.#socket.send({ type: 'accepted', ...named, job });
      logger.info('a live question was heard', {
        job_id: job.id,
        user_id: this.#caller.userId,
        seconds: sound.seconds,
      });
    } catch (error) {
      outcome = error instanceof ManuelError ? error.code : 'internal';
      this.#close(session);
      this.#socket.fail(error, ref);
    }
    metrics.count('live_questions_total', 'Live microphones, by how they ended', { outcome });
  }

  #close(session: Session): void {
    session.sound.close();
    this.#ended = !session.said;
    this.#session = undefined;
  }
}
