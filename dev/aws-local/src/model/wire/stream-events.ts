import type { JsonObject, ModelPiece, StopReason, Usage } from './converse-shapes.ts';

/** One event of ConverseStream: its type and its payload. */
export interface StreamEvent {
  readonly type:
    'messageStart' | 'contentBlockStart' | 'contentBlockDelta' | 'contentBlockStop' | 'messageStop' | 'metadata';
  readonly payload: object;
}

/** Everything of the last event that is known only at the end. */
export interface Closing {
  readonly usage: Usage;
  readonly latencyMs: number;
  readonly trace?: JsonObject;
}

/**
 * Turns a model's pieces into the events of a ConverseStream response, numbering its blocks. As with the real service, a
 * text block is opened by its first delta and only a tool call has a contentBlockStart.
 */
export async function* streamEvents(
  pieces: AsyncIterable<ModelPiece>,
  closing: () => Closing,
): AsyncGenerator<StreamEvent> {
  let index = 0;
  let open: 'text' | 'cited' | 'tool' | undefined;
  let stopReason: StopReason = 'end_turn';
  const delta = (body: object): StreamEvent => ({
    type: 'contentBlockDelta',
    payload: { delta: body, contentBlockIndex: index },
  });

  function* close(): Generator<StreamEvent> {
    if (open === undefined) return;
    yield { type: 'contentBlockStop', payload: { contentBlockIndex: index } };
    index += 1;
    open = undefined;
  }

  // Nothing is said before the model has begun: one that fails at once still answers with a plain error.
  let begun = false;
  for await (const piece of pieces) {
    if (!begun) yield { type: 'messageStart', payload: { role: 'assistant' } };
    begun = true;
    switch (piece.kind) {
      case 'text':
        if (open !== 'text') yield* close();
        open = 'text';
        yield delta({ text: piece.text });
        break;
      case 'citation':
        open = 'cited';
        yield delta({ citation: piece.citation });
        break;
      case 'tool-start':
        yield* close();
        open = 'tool';
        yield {
          type: 'contentBlockStart',
          payload: { start: { toolUse: { toolUseId: piece.toolUseId, name: piece.name } }, contentBlockIndex: index },
        };
        break;
      case 'tool-input':
        yield delta({ toolUse: { input: piece.json } });
        break;
      case 'end':
        yield* close();
        break;
      case 'stop':
        stopReason = piece.reason;
        break;
      case 'usage':
        break;
    }
  }
  yield* close();
  yield { type: 'messageStop', payload: { stopReason } };
  const { usage, latencyMs, trace } = closing();
  yield { type: 'metadata', payload: { usage, metrics: { latencyMs }, ...(trace === undefined ? {} : { trace }) } };
}
