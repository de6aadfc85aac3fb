import type { Citation, CitationsContent, JsonValue, ModelPiece, StopReason, ToolUse } from './converse-shapes.ts';
import { invalid } from './read-json.ts';

export type AnswerBlock = { text: string } | { citationsContent: CitationsContent } | { toolUse: ToolUse };

export interface CollectedMessage {
  readonly content: AnswerBlock[];
  readonly stopReason: StopReason;
}

/** Folds a model's pieces into the message that Converse answers with. */
export async function collectMessage(pieces: AsyncIterable<ModelPiece>): Promise<CollectedMessage> {
  const content: AnswerBlock[] = [];
  let stopReason: StopReason = 'end_turn';
  let text = '';
  let citations: Citation[] = [];
  let tool: { toolUseId: string; name: string; json: string } | undefined;

  const close = () => {
    if (tool !== undefined) {
      content.push({ toolUse: { toolUseId: tool.toolUseId, name: tool.name, input: parseInput(tool.json) } });
    } else if (citations.length > 0) {
      content.push({ citationsContent: { content: [{ text }], citations } });
    } else if (text !== '') {
      content.push({ text });
    }
    text = '';
    citations = [];
    tool = undefined;
  };

  for await (const piece of pieces) {
    switch (piece.kind) {
      case 'text':
        if (tool !== undefined || citations.length > 0) close();
        text += piece.text;
        break;
      case 'citation':
        citations.push(piece.citation);
        break;
      case 'tool-start':
        close();
        tool = { toolUseId: piece.toolUseId, name: piece.name, json: '' };
        break;
      case 'tool-input':
        if (tool !== undefined) tool.json += piece.json;
        break;
      case 'end':
        close();
        break;
      case 'stop':
        stopReason = piece.reason;
        break;
      case 'usage':
        break;
    }
  }
  close();
  return { content, stopReason };
}

function parseInput(json: string): JsonValue {
  try {
    // JSON.parse yields nothing but JSON values.
    return JSON.parse(json === '' ? '{}' : json) as JsonValue;
  } catch {
    throw invalid('The model produced a tool call whose input is not valid JSON.');
  }
}
