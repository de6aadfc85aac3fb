import { AwsError } from '../../service.ts';
import type { JsonObject } from '../wire/converse-shapes.ts';
import { countTokens } from '../wire/limit-output.ts';
import { asText, invalid, optionalNumber } from '../wire/read-json.ts';
import { callServer } from './call-server.ts';

export interface EmbeddingServer {
  readonly url: string;
  readonly apiKey?: string;
  readonly model: string;
  readonly timeoutMs: number;
}

/**
 * InvokeModel for Titan text embeddings: `{inputText, dimensions?, normalize?}` -> `{embedding, inputTextTokenCount}`, served by an
 * OpenAI-compatible `/v1/embeddings`.
 * @throws AwsError ValidationException when no server is set or the model is no Titan embeddings model
 */
export async function invokeEmbedding(
  modelId: string,
  body: JsonObject,
  server: EmbeddingServer | undefined,
  signal: AbortSignal,
): Promise<{ embedding: number[]; inputTextTokenCount: number }> {
  if (!/amazon\.titan-embed-text/.test(modelId)) {
    throw invalid(
      'InvokeModel serves only amazon.titan-embed-text models here. Use Converse or ConverseStream for text models.',
    );
  }
  if (server === undefined) {
    throw invalid('There is no embeddings model on this machine. Set EMBEDDINGS_URL to an OpenAI-compatible server.');
  }
  const inputText = asText(body['inputText'], 'inputText');
  const dimensions = optionalNumber(body['dimensions'], 'dimensions', { min: 1, integer: true });
  const call = await callServer(
    { ...server, setting: 'EMBEDDINGS_URL' },
    '/embeddings',
    JSON.stringify({ model: server.model, input: inputText, ...(dimensions === undefined ? {} : { dimensions }) }),
    signal,
  );
  try {
    const embedding = readEmbedding(await call.response.json());
    return {
      embedding: body['normalize'] === false ? embedding : normalise(embedding),
      inputTextTokenCount: countTokens(inputText),
    };
  } catch (error) {
    throw call.explain(error);
  } finally {
    call.end();
  }
}

function readEmbedding(body: unknown): number[] {
  const data: unknown = body !== null && typeof body === 'object' && 'data' in body ? body.data : undefined;
  const first: unknown = Array.isArray(data) ? data[0] : undefined;
  const embedding: unknown =
    first !== null && typeof first === 'object' && 'embedding' in first ? first.embedding : undefined;
  if (!Array.isArray(embedding) || embedding.length === 0 || !embedding.every((value) => typeof value === 'number')) {
    throw new AwsError('ModelErrorException', 'The server at EMBEDDINGS_URL answered without an embedding.', 424);
  }
  return embedding;
}

function normalise(vector: readonly number[]): number[] {
  const length = Math.hypot(...vector);
  return length === 0 ? [...vector] : vector.map((value) => value / length);
}
