import type { ServerResponse } from 'node:http';
import { createChatModel } from '../model/chat/chat-model.ts';
import { invokeEmbedding, type EmbeddingServer } from '../model/chat/invoke-embedding.ts';
import { createExtractiveModel } from '../model/extractive/extractive-model.ts';
import { collectMessage } from '../model/wire/collect-message.ts';
import type { ConverseRequest, JsonObject, ModelPiece, TextModel } from '../model/wire/converse-shapes.ts';
import { countInputTokens, countTokens, limitOutput } from '../model/wire/limit-output.ts';
import { parseConverse } from '../model/wire/parse-converse.ts';
import { parseModelId } from '../model/wire/parse-model-id.ts';
import { invalid, parseJsonObject } from '../model/wire/read-json.ts';
import { streamEvents, type Closing } from '../model/wire/stream-events.ts';
import { writeEventStream } from '../model/wire/write-event-stream.ts';
import type { AwsRequest, AwsService, AwsServiceOptions } from '../service.ts';

export interface BedrockRuntimeOptions extends AwsServiceOptions {
  /** Base URL of an OpenAI-compatible server, with or without `/v1`; without it the extractive model answers. */
  readonly llmUrl?: string;
  readonly llmApiKey?: string;
  /** The model's name on that server; default: the part of the Bedrock model id after the provider. */
  readonly llmModel?: string;
  /** How long that server may be silent before the request fails, default 60,000. */
  readonly llmTimeoutMs?: number;
  /** Base URL of an OpenAI-compatible embeddings server, for InvokeModel with a Titan embeddings model. */
  readonly embeddingsUrl?: string;
  readonly embeddingsApiKey?: string;
  readonly embeddingsModel?: string;
  /** Pause before each word of the extractive model's answers, default 0. */
  readonly tokenDelayMs?: number;
}

const ROUTE = /^\/model\/(?<model>[^/]+)\/(?<verb>converse|converse-stream|invoke)$/;
const OPERATIONS: Readonly<Record<string, string>> = {
  converse: 'Converse',
  'converse-stream': 'ConverseStream',
  invoke: 'InvokeModel',
};

/** Bedrock's runtime: Converse, ConverseStream, and InvokeModel for Titan text embeddings. */
export async function createBedrockRuntime(options: BedrockRuntimeOptions): Promise<AwsService> {
  const model: TextModel =
    options.llmUrl === undefined
      ? createExtractiveModel({ tokenDelayMs: options.tokenDelayMs ?? 0 })
      : createChatModel({
          url: options.llmUrl,
          timeoutMs: options.llmTimeoutMs ?? 60_000,
          ...(options.llmApiKey === undefined ? {} : { apiKey: options.llmApiKey }),
          ...(options.llmModel === undefined ? {} : { model: options.llmModel }),
        });
  const embeddings: EmbeddingServer | undefined =
    options.embeddingsUrl === undefined
      ? undefined
      : {
          url: options.embeddingsUrl,
          model: options.embeddingsModel ?? 'default',
          timeoutMs: options.llmTimeoutMs ?? 60_000,
          ...(options.embeddingsApiKey === undefined ? {} : { apiKey: options.embeddingsApiKey }),
        };

  return {
    name: 'bedrock-runtime',
    errorProtocol: 'rest-json',
    operationOf(request) {
      const verb = request.method === 'POST' ? ROUTE.exec(request.path)?.groups?.['verb'] : undefined;
      return verb === undefined ? undefined : OPERATIONS[verb];
    },
    async handle(operation, request, response) {
      const modelId = parseModelId(decodeModel(request));
      const body = parseJsonObject(await request.body());
      if (operation === 'InvokeModel') {
        sendJson(response, await invokeEmbedding(modelId.id, body, embeddings, request.signal));
        return;
      }
      const turn = startTurn(model, parseConverse(modelId, body), request.signal);
      if (operation === 'ConverseStream') {
        await writeEventStream(response, streamEvents(turn.pieces, turn.closing), request.signal);
        return;
      }
      const message = await collectMessage(turn.pieces);
      const { usage, latencyMs, trace } = turn.closing();
      sendJson(response, {
        output: { message: { role: 'assistant', content: message.content } },
        stopReason: message.stopReason,
        usage,
        metrics: { latencyMs },
        ...(trace === undefined ? {} : { trace }),
      });
    },
    close: () => Promise.resolve(),
  };
}

function decodeModel(request: AwsRequest): string {
  const raw = ROUTE.exec(request.path)?.groups?.['model'] ?? '';
  try {
    return decodeURIComponent(raw);
  } catch {
    throw invalid('The provided model identifier is invalid.');
  }
}

/** Runs the model once, measuring what it costs: the server's own token counts where it sends them, else an estimate. */
function startTurn(
  model: TextModel,
  request: ConverseRequest,
  signal: AbortSignal,
): { pieces: AsyncIterable<ModelPiece>; closing: () => Closing } {
  const started = performance.now();
  let said = '';
  let reported: { inputTokens: number; outputTokens: number } | undefined;

  async function* measured(): AsyncGenerator<ModelPiece> {
    for await (const piece of limitOutput(model.generate(request, signal), request.inference)) {
      if (piece.kind === 'usage') reported = piece;
      else if (piece.kind === 'text') said += piece.text;
      else if (piece.kind === 'tool-input') said += piece.json;
      yield piece;
    }
  }

  return {
    pieces: measured(),
    closing() {
      const inputTokens = reported?.inputTokens ?? countInputTokens(request);
      const outputTokens = reported?.outputTokens ?? countTokens(said);
      const trace = guardrailTrace(request);
      return {
        usage: { inputTokens, outputTokens, totalTokens: inputTokens + outputTokens },
        latencyMs: Math.round(performance.now() - started),
        ...(trace === undefined ? {} : { trace }),
      };
    },
  };
}

/** There is no guardrail here to apply: a trace that was asked for names the one configured and assesses nothing. */
function guardrailTrace(request: ConverseRequest): JsonObject | undefined {
  if (request.guardrail === undefined || request.guardrail.trace === 'disabled') return undefined;
  return { guardrail: { inputAssessment: { [request.guardrail.guardrailIdentifier]: {} }, outputAssessments: {} } };
}

function sendJson(response: ServerResponse, body: object): void {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}
