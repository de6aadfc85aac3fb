import { callServer, type ServerTarget } from '../../model/chat/call-server.ts';

export interface EmbedderOptions {
  /** Base URL of an OpenAI-compatible server, with or without `/v1`. */
  readonly url: string;
  readonly apiKey?: string;
  readonly model: string;
  /** For one batch of passages, in milliseconds. */
  readonly ingestTimeoutMs: number;
  /** For a question: the search goes on without vectors after this. */
  readonly queryTimeoutMs: number;
  log(message: string, fields?: Record<string, unknown>): void;
}

const BATCH = 64;
/** After a failure questions are not held up by a server that is down; it is tried again after this. */
const REST_MS = 10_000;

/** Vectors of unit length from an OpenAI-compatible `/v1/embeddings`. A failing server means no vectors, never an error. */
export class Embedder {
  readonly model: string;
  readonly #options: EmbedderOptions;
  #restUntil = 0;

  constructor(options: EmbedderOptions) {
    this.#options = options;
    this.model = options.model;
  }

  /** One vector a passage; undefined when the server failed. */
  async embedPassages(texts: readonly string[], signal: AbortSignal): Promise<Float32Array[] | undefined> {
    const vectors: Float32Array[] = [];
    for (let start = 0; start < texts.length; start += BATCH) {
      const batch = await this.#tryEmbed(texts.slice(start, start + BATCH), this.#options.ingestTimeoutMs, signal);
      if (batch === undefined) return undefined;
      vectors.push(...batch);
    }
    return vectors;
  }

  /** Undefined when the server failed, or failed a moment ago. */
  async embedQuestion(text: string, signal: AbortSignal): Promise<Float32Array | undefined> {
    if (Date.now() < this.#restUntil) return undefined;
    const vectors = await this.#tryEmbed([text], this.#options.queryTimeoutMs, signal);
    return vectors?.[0];
  }

  async #tryEmbed(
    texts: readonly string[],
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<Float32Array[] | undefined> {
    const { url, apiKey, model, log } = this.#options;
    const target: ServerTarget = {
      url,
      timeoutMs,
      setting: 'EMBEDDINGS_URL',
      ...(apiKey === undefined ? {} : { apiKey }),
    };
    try {
      const call = await callServer(target, '/embeddings', JSON.stringify({ model, input: texts }), signal);
      try {
        return readVectors(await call.response.json(), texts.length);
      } finally {
        call.end();
      }
    } catch (error) {
      this.#restUntil = Date.now() + REST_MS;
      log('no embeddings, searching by words alone', { error: error instanceof Error ? error.message : String(error) });
      return undefined;
    }
  }
}

function readVectors(body: unknown, expected: number): Float32Array[] {
  const data: unknown = typeof body === 'object' && body !== null && 'data' in body ? body.data : undefined;
  if (!Array.isArray(data) || data.length !== expected) throw new Error(`expected ${expected} embeddings in "data"`);
  const vectors: (Float32Array | undefined)[] = Array.from({ length: expected });
  for (const [position, item] of data.entries() as ArrayIterator<[number, unknown]>) {
    if (typeof item !== 'object' || item === null || !('embedding' in item)) throw new Error('an embedding is missing');
    // Servers may answer out of order; `index` says which input an embedding belongs to.
    const at = 'index' in item && typeof item.index === 'number' ? item.index : position;
    vectors[at] = unitVector(item.embedding);
  }
  return vectors.map((vector) => {
    if (vector === undefined) throw new Error('an embedding is missing');
    return vector;
  });
}

function unitVector(values: unknown): Float32Array {
  if (!Array.isArray(values) || values.length === 0 || !values.every(Number.isFinite)) {
    throw new Error('an embedding must be a list of numbers');
  }
  const vector = Float32Array.from(values as number[]);
  const length = Math.hypot(...vector);
  return length === 0 ? vector : vector.map((value) => value / length);
}
