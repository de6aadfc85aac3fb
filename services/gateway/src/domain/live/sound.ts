import { type ErrorCode, ManuelError } from '@manuel/contracts';
import type { Settings } from '@manuel/settings';
import { withoutWavHeader } from './pcm-format.ts';

/** What the other side of the sound is told. */
export interface SoundEvents {
  /** True: no more frames for now; false: go on. */
  onPressure(full: boolean): void;
  /** The sound cannot go on; the error says why. Told once. */
  onFailure(error: ManuelError): void;
}

/** An end of the sound that says nothing about Transcribe: no breaker counts it. */
export const clientsFault = (code: ErrorCode, detail: string): ManuelError =>
  new ManuelError(code, detail, { cause: new DOMException(detail, 'AbortError') });

type Limits = Pick<
  Settings['transcribe'],
  'max_duration_s' | 'live_max_session_s' | 'live_idle_ms' | 'live_max_buffered_bytes' | 'live_finish_timeout_ms'
>;

const bytesPerSample = 2;
/** How full it is when the client is held back. */
const pressureShare = 0.5;

/**
 * The sound of one live microphone, between the socket that brings it and the stream that takes it: bounded in length, in what
 * waits, in time and in silence. Frames go in, `audio_end` ends it, an iteration takes it out.
 */
export class Sound implements AsyncIterable<Uint8Array> {
  readonly #limits: Limits;
  readonly #sampleRate: number;
  readonly #events: SoundEvents;
  readonly #session: NodeJS.Timeout;
  #idle: NodeJS.Timeout | undefined;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #bytes = 0;
  #held = false;
  #state: 'open' | 'ended' | 'closed' = 'open';
  #wake: (() => void) | undefined;

  constructor(limits: Limits, sampleRate: number, events: SoundEvents) {
    this.#limits = limits;
    this.#sampleRate = sampleRate;
    this.#events = events;
    const { live_max_session_s } = limits;
    this.#session = setTimeout(
      () => this.#fail('audio_too_long', `The microphone was open for ${live_max_session_s} seconds. Start again.`),
      live_max_session_s * 1000,
    );
    this.#listen();
  }

  /** Seconds of sound so far. */
  get seconds(): number {
    return this.#bytes / (this.#sampleRate * bytesPerSample);
  }

  /** Takes a frame: whole samples, in the order in which they were recorded. */
  push(frame: Buffer): void {
    if (this.#state !== 'open') return;
    const { max_duration_s, live_max_buffered_bytes } = this.#limits;
    if (frame.length % bytesPerSample !== 0) {
      this.#fail(
        'validation_failed',
        `A frame of ${frame.length} bytes splits a sample of 16 bits. Send whole samples.`,
      );
      return;
    }
    let samples = frame;
    try {
      if (this.#bytes === 0) samples = withoutWavHeader(frame, this.#sampleRate);
    } catch (error) {
      if (!(error instanceof ManuelError)) throw error;
      this.#failWith(error);
      return;
    }
    this.#bytes += samples.length;
    if (this.seconds > max_duration_s) {
      this.#fail(
        'audio_too_long',
        `A spoken question may last ${max_duration_s} seconds. The recording was ended: start again, and say it shorter.`,
      );
      return;
    }
    this.#waiting.push(samples);
    this.#waitingBytes += samples.length;
    if (this.#waitingBytes > live_max_buffered_bytes) {
      this.#fail('rate_limited', 'Sound comes faster than it can be understood. Send it as it is spoken.');
      return;
    }
    if (!this.#held && this.#waitingBytes > live_max_buffered_bytes * pressureShare) this.#hold();
    else if (!this.#held) this.#listen();
    this.#wake?.();
  }

  /** Nothing more is said; what waits is still taken. */
  end(): void {
    if (this.#state !== 'open') return;
    this.#state = 'ended';
    this.#stopClocks();
    this.#expectTaking();
    this.#wake?.();
  }

  /** Nobody takes it any more. Safe to repeat. */
  close(): void {
    this.#state = 'closed';
    this.#stopClocks();
    this.#waiting = [];
    this.#waitingBytes = 0;
    if (this.#held) this.#release();
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for (;;) {
      const chunk = this.#waiting.shift();
      if (chunk !== undefined) {
        this.#waitingBytes -= chunk.length;
        if (this.#held && this.#waitingBytes === 0) this.#release();
        else if (this.#held || this.#state === 'ended') this.#expectTaking();
        if (chunk.length > 0) yield chunk;
      } else if (this.#state === 'open') {
        await new Promise<void>((resolve) => (this.#wake = resolve));
      } else {
        this.#stopClocks();
        return;
      }
    }
  }

  /** Begins to wait for the next frame. */
  #listen(): void {
    clearTimeout(this.#idle);
    const { live_idle_ms } = this.#limits;
    this.#idle = setTimeout(
      () =>
        this.#fail(
          'timed_out',
          `No sound came for ${live_idle_ms / 1000} seconds, so the recording was ended. Send audio_end after the last frame.`,
        ),
      live_idle_ms,
    );
  }

  /** Begins to wait for the other side to take something: the client is held back, or has said all. */
  #expectTaking(): void {
    clearTimeout(this.#idle);
    this.#idle = setTimeout(
      () => this.#failWith(new ManuelError('timed_out', 'Recognition does not keep up. Try again in a moment.')),
      this.#limits.live_finish_timeout_ms,
    );
  }

  #hold(): void {
    this.#held = true;
    this.#expectTaking();
    this.#events.onPressure(true);
  }

  #release(): void {
    this.#held = false;
    if (this.#state === 'open') this.#listen();
    this.#events.onPressure(false);
  }

  #fail(code: ErrorCode, detail: string): void {
    this.#failWith(clientsFault(code, detail));
  }

  #failWith(error: ManuelError): void {
    this.close();
    this.#events.onFailure(error);
  }

  #stopClocks(): void {
    clearTimeout(this.#session);
    clearTimeout(this.#idle);
  }
}
