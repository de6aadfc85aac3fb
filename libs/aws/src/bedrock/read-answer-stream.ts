import type { CitationsDelta, ConverseStreamOutput } from '@aws-sdk/client-bedrock-runtime';
import { failureOf } from '@manuel/resilience';
import type { AnswerEnd, AnswerPiece, CitationStyle, ModelPassage } from './answer-pieces.ts';
import { createMarkerParser } from './parse-markers.ts';

const stops: Readonly<Record<string, AnswerEnd['stop']>> = {
  end_turn: 'end',
  stop_sequence: 'end',
  max_tokens: 'length',
  model_context_window_exceeded: 'length',
  guardrail_intervened: 'guardrail',
  content_filtered: 'filtered',
};

/** The exceptions that a stream may carry after HTTP 200. */
const exceptionMembers = [
  'internalServerException',
  'modelStreamErrorException',
  'serviceUnavailableException',
  'throttlingException',
  'validationException',
] as const;

function toCitation(delta: CitationsDelta, passages: readonly ModelPassage[]): AnswerPiece | undefined {
  const location = delta.location?.searchResultLocation;
  const index = location?.searchResultIndex ?? passages.findIndex((passage) => passage.source === delta.source);
  const passage = passages[index];
  if (!passage) return undefined;
  const start = Math.min(Math.max(location?.start ?? 0, 0), passage.blocks.length - 1);
  const end = Math.min(Math.max(location?.end ?? passage.blocks.length, start + 1), passage.blocks.length);
  const quote = (delta.sourceContent ?? []).map((content) => content.text ?? '').join('');
  return { kind: 'citation', passage: index, blocks: [start, end], quote };
}

/**
 * Reads a ConverseStream to its end, giving each piece to `onPiece` at once.
 * Throws the stream's own exception, or `upstream_failed` when it ends without having said that it is complete.
 */
export async function readAnswerStream(
  stream: AsyncIterable<ConverseStreamOutput>,
  passages: readonly ModelPassage[],
  style: CitationStyle,
  onPiece: (piece: AnswerPiece) => void,
): Promise<AnswerEnd> {
  const markers =
    style === 'markers' ? createMarkerParser(passages.map((passage) => passage.blocks.length)) : undefined;
  const give = (pieces: readonly AnswerPiece[]): void => pieces.forEach(onPiece);
  let stop: AnswerEnd['stop'] | undefined;
  let tokens = { input: 0, output: 0 };
  for await (const event of stream) {
    for (const member of exceptionMembers) if (event[member]) throw event[member];
    const delta = event.contentBlockDelta?.delta;
    if (delta?.text) give(markers ? markers.push(delta.text) : [{ kind: 'text', text: delta.text }]);
    if (delta?.citation) {
      const citation = toCitation(delta.citation, passages);
      if (citation) give([citation]);
    }
    if (event.contentBlockStop && !markers) give([{ kind: 'segment-end' }]);
    if (event.messageStop) stop = stops[event.messageStop.stopReason ?? ''] ?? 'end';
    const usage = event.metadata?.usage;
    if (usage) tokens = { input: usage.inputTokens ?? 0, output: usage.outputTokens ?? 0 };
  }
  if (markers) give(markers.end());
  if (stop === undefined) throw failureOf('stream');
  return { stop, tokens };
}
