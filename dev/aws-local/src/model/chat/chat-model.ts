import { searchResults } from '../extractive/read-request.ts';
import type { ModelPiece, StopReason, TextModel } from '../wire/converse-shapes.ts';
import { callServer } from './call-server.ts';
import { MarkerReader } from './cite-markers.ts';
import { readChatStream, type ChatChunk } from './read-chat-stream.ts';
import { toChatRequest } from './to-chat-request.ts';

export interface ChatModelOptions {
  readonly url: string;
  readonly apiKey?: string;
  readonly model?: string;
  readonly timeoutMs: number;
}

const STOP_REASONS: Readonly<Record<string, StopReason>> = {
  stop: 'end_turn',
  length: 'max_tokens',
  tool_calls: 'tool_use',
  function_call: 'tool_use',
};

/** A model on an OpenAI-compatible server (Ollama, llama.cpp, vLLM). The request is always streamed, so that a client that leaves stops it. */
export function createChatModel(options: ChatModelOptions): TextModel {
  return {
    async *generate(request, signal) {
      const results = searchResults(request.messages);
      const cites = results.some((result) => result.citations?.enabled === true);
      const body = toChatRequest(request, options.model ?? plainName(request.modelId));
      const call = await callServer(
        { ...options, setting: 'LLM_URL' },
        '/chat/completions',
        JSON.stringify(body),
        signal,
      );
      yield* readPieces(readChatStream(call), cites ? new MarkerReader(results) : undefined);
    },
  };
}

/** Maps chunks to pieces: text first, then tool calls in their order. */
async function* readPieces(
  chunks: AsyncIterable<ChatChunk>,
  markers: MarkerReader | undefined,
): AsyncGenerator<ModelPiece> {
  let reason: StopReason = 'end_turn';
  let usage: ModelPiece | undefined;
  let tool: number | undefined;
  for await (const chunk of chunks) {
    const choice = chunk.choices?.[0];
    const text = choice?.delta?.content;
    if (typeof text === 'string' && text !== '') {
      if (markers === undefined) yield { kind: 'text', text };
      else yield* markers.read(text);
    }
    for (const call of choice?.delta?.tool_calls ?? []) {
      const index = call.index ?? 0;
      if (index !== tool) {
        if (tool === undefined && markers !== undefined) yield* markers.end();
        tool = index;
        yield { kind: 'tool-start', toolUseId: toolUseId(call.id, index), name: call.function?.name ?? '' };
      }
      const json = call.function?.arguments ?? '';
      if (json !== '') yield { kind: 'tool-input', json };
    }
    if (typeof choice?.finish_reason === 'string') reason = STOP_REASONS[choice.finish_reason] ?? 'end_turn';
    if (chunk.usage !== undefined && chunk.usage !== null) {
      usage = {
        kind: 'usage',
        inputTokens: chunk.usage.prompt_tokens ?? 0,
        outputTokens: chunk.usage.completion_tokens ?? 0,
      };
    }
  }
  if (markers !== undefined) yield* markers.end();
  yield { kind: 'end' };
  // Some servers say "stop" although they called a tool.
  yield { kind: 'stop', reason: tool === undefined ? reason : 'tool_use' };
  if (usage !== undefined) yield usage;
}

function toolUseId(id: string | undefined, index: number): string {
  const clean = (id ?? '').replace(/[^a-zA-Z0-9_-]/g, '').slice(0, 64);
  return clean === '' ? `tooluse_${index}` : clean;
}

/** `anthropic.claude-3-5-sonnet-20241022-v2:0` -> `claude-3-5-sonnet-20241022-v2:0` */
function plainName(modelId: string): string {
  return modelId.slice(modelId.lastIndexOf('/') + 1).replace(/^(?:[a-z-]+\.)+/, '');
}
