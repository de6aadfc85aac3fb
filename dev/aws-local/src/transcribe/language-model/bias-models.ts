import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { RecognitionFailure, type Bias } from '../job.ts';
import type { BuildOrder } from './build-in-thread.ts';

export interface BiasModelFiles {
  readonly arpaPath: string;
  readonly dictionaryPath: string;
}

/** Raised whenever the same text would make another model. */
const VERSION = 2;
const MAX_MODELS = 100;
const BUILD_TIMEOUT_MS = 120_000;

/** Language models made from vocabularies and texts, kept on disk under the hash of what they were made from. */
export class BiasModels {
  readonly #folder: string;
  readonly #building = new Map<string, Promise<BiasModelFiles>>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** The model's files, made when they are not there. Two jobs that want the same model wait for one making. */
  files(bias: Bias, pronunciations: string, signal: AbortSignal): Promise<BiasModelFiles> {
    const name = [...bias.sources, `${VERSION}\n${bias.key}`].map(short).join('-');
    const running = this.#building.get(name);
    if (running !== undefined) return running;
    const making = this.#make(name, bias, pronunciations, signal).finally(() => this.#building.delete(name));
    this.#building.set(name, making);
    return making;
  }

  /** Deletes every model made from this vocabulary or text. */
  async forget(source: string): Promise<void> {
    const part = short(source);
    for (const file of await filesIn(this.#folder)) {
      if (file.split(/[-.]/).includes(part)) await rm(join(this.#folder, file), { force: true });
    }
  }

  async #make(name: string, bias: Bias, pronunciations: string, signal: AbortSignal): Promise<BiasModelFiles> {
    const files = { arpaPath: join(this.#folder, `${name}.arpa`), dictionaryPath: join(this.#folder, `${name}.dict`) };
    if (await exists(files.arpaPath)) return files;
    await mkdir(this.#folder, { recursive: true });
    const draft = join(this.#folder, randomUUID());
    const order: BuildOrder = {
      phrases: bias.phrases,
      texts: await bias.texts(),
      pronunciations,
      arpaPath: `${draft}.draft`,
      dictionaryPath: files.dictionaryPath,
    };
    await build(order, signal);
    // The language model comes last: where it is, the dictionary is too.
    await rename(order.arpaPath, files.arpaPath);
    await this.#prune();
    return files;
  }

  async #prune(): Promise<void> {
    const models = (await filesIn(this.#folder)).filter((file) => file.endsWith('.arpa'));
    if (models.length <= MAX_MODELS) return;
    const aged = await Promise.all(
      models.map(async (file) => ({ file, made: (await stat(join(this.#folder, file))).mtimeMs })),
    );
    for (const { file } of aged.toSorted((a, b) => b.made - a.made).slice(MAX_MODELS)) {
      await rm(join(this.#folder, file), { force: true });
      await rm(join(this.#folder, file.replace(/arpa$/, 'dict')), { force: true });
    }
  }
}

/** In a thread, because a second of counting words must not keep every other request of this process waiting. */
async function build(order: BuildOrder, signal: AbortSignal): Promise<void> {
  const worker = new Worker(new URL('./build-in-thread.ts', import.meta.url), {
    workerData: order,
    resourceLimits: { maxOldGenerationSizeMb: 1024 },
  });
  const stop = () => void worker.terminate();
  const timer = setTimeout(stop, BUILD_TIMEOUT_MS);
  signal.addEventListener('abort', stop, { once: true });
  try {
    const code = await new Promise<number>((resolve, reject) => {
      worker.once('error', reject);
      worker.once('exit', resolve);
    });
    signal.throwIfAborted();
    if (code !== 0)
      throw new RecognitionFailure(
        'The language model could not be made in time. Use less text and try your request again.',
      );
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
  }
}

function short(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 20);
}

async function filesIn(folder: string): Promise<string[]> {
  return (await exists(folder)) ? readdir(folder) : [];
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
