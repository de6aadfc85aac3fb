import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

const windowBytes = 1024 * 1024;

/** What cannot be read as sound; the message is a sentence for the user. */
export class UnreadableAudio extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UnreadableAudio';
  }
}

export const cutOff = (): UnreadableAudio =>
  new UnreadableAudio(
    'The recording is cut off: its headers promise more than the file holds. Record or upload it again.',
  );

/** Bytes in memory or in a file, read in windows, so that a large file is never in memory as a whole. */
export class ByteSource {
  readonly size: number;
  readonly #file: number | undefined;
  #window: Buffer;
  #start = 0;

  constructor(source: Uint8Array | { readonly path: string }) {
    if (source instanceof Uint8Array) {
      this.#window = Buffer.from(source.buffer, source.byteOffset, source.byteLength);
      this.size = source.byteLength;
      return;
    }
    this.#file = openSync(source.path, 'r');
    this.size = fstatSync(this.#file).size;
    this.#window = Buffer.alloc(0);
  }

  /** Exactly these bytes. Throws UnreadableAudio when the file ends before. The view is good until the next call. */
  bytes(offset: number, length: number): Buffer {
    if (offset < 0 || offset + length > this.size) throw cutOff();
    if (offset < this.#start || offset + length > this.#start + this.#window.length) this.#load(offset, length);
    return this.#window.subarray(offset - this.#start, offset - this.#start + length);
  }

  /** At most this many bytes: fewer at the end of the file. */
  upTo(offset: number, length: number): Buffer {
    return this.bytes(offset, Math.max(0, Math.min(length, this.size - offset)));
  }

  ascii(offset: number, length: number): string {
    return this.upTo(Math.min(offset, this.size), length).toString('latin1');
  }

  #load(offset: number, length: number): void {
    if (this.#file === undefined) throw cutOff();
    const wanted = Math.min(Math.max(length, windowBytes), this.size - offset);
    const window = Buffer.alloc(wanted);
    let read = 0;
    while (read < wanted) {
      const got = readSync(this.#file, window, read, wanted - read, offset + read);
      if (got === 0) throw cutOff();
      read += got;
    }
    this.#window = window;
    this.#start = offset;
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
  }
}
