import { AwsError } from '../../service.ts';
import type { ServerCall } from './call-server.ts';

/** One chunk of a streamed chat completion, as far as it is used here; servers leave out what they like. */
export interface ChatChunk {
  readonly error?: { readonly message?: string };
  readonly choices?: readonly {
    readonly delta?: {
      readonly content?: string | null;
      readonly tool_calls?: readonly {
        readonly index?: number;
        readonly id?: string;
        readonly function?: { readonly name?: string; readonly arguments?: string };
      }[];
    };
    readonly finish_reason?: string | null;
  }[];
  readonly usage?: { readonly prompt_tokens?: number; readonly completion_tokens?: number } | null;
}

/** Reads the server-sent events of a chat completion. */
export async function* readChatStream(call: ServerCall): AsyncGenerator<ChatChunk> {
  const decoder = new TextDecoder();
  let held = '';
  try {
    for await (const bytes of call.response.body ?? []) {
      call.heard();
      held += decoder.decode(bytes, { stream: true });
      const lines = held.split(/\r?\n/);
      held = lines.pop() ?? '';
      for (const line of lines) {
        const data = /^data:\s*(.*)$/.exec(line)?.[1];
        if (data === '[DONE]') return;
        if (data !== undefined && data !== '') yield parseChunk(data);
      }
    }
  } catch (error) {
    throw call.explain(error);
  } finally {
    call.end();
  }
}

function parseChunk(data: string): ChatChunk {
  let chunk: unknown;
  try {
    chunk = JSON.parse(data);
  } catch {
    throw new AwsError('ModelStreamErrorException', 'The model server sent a chunk that is not valid JSON.', 424);
  }
  if (chunk === null || typeof chunk !== 'object') {
    throw new AwsError('ModelStreamErrorException', 'The model server sent a chunk that is not an object.', 424);
  }
  // Every member of ChatChunk is optional and read with care.
  const read: ChatChunk = chunk;
  if (read.error !== undefined) {
    throw new AwsError(
      'ModelStreamErrorException',
      `The model server failed: ${read.error.message ?? 'no reason given'}`,
      424,
    );
  }
  return read;
}
