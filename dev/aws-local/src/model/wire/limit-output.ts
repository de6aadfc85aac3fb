import type { ConverseRequest, ModelPiece } from './converse-shapes.ts';

/** A common estimate for English: four characters a token. */
const CHARACTERS_PER_TOKEN = 4;

export function countTokens(text: string): number {
  return Math.ceil(text.length / CHARACTERS_PER_TOKEN);
}

/** What the whole request costs to read. */
export function countInputTokens(request: ConverseRequest): number {
  return countTokens(request.system + JSON.stringify(request.messages) + JSON.stringify(request.tools));
}

/**
 * Ends the text at `maxTokens` or before a stop sequence, as the request asks. A stop sequence split over two pieces is found: text that
 * might be its beginning is held back until that is settled.
 */
export async function* limitOutput(
  pieces: AsyncIterable<ModelPiece>,
  limits: ConverseRequest['inference'],
): AsyncGenerator<ModelPiece> {
  const longestStop = Math.max(0, ...limits.stopSequences.map((sequence) => sequence.length));
  let budget = (limits.maxTokens ?? Number.POSITIVE_INFINITY) * CHARACTERS_PER_TOKEN;
  let held = '';
  for await (const piece of pieces) {
    if (piece.kind !== 'text') {
      if (held !== '' && piece.kind !== 'usage') {
        yield { kind: 'text', text: held };
        held = '';
      }
      yield piece;
      continue;
    }
    let text = held + piece.text;
    held = '';
    const stopAt = firstStop(text, limits.stopSequences);
    if (stopAt !== undefined) text = text.slice(0, stopAt);
    else if (longestStop > 1) {
      const safe = text.length - possibleStopTail(text, limits.stopSequences);
      held = text.slice(safe);
      text = text.slice(0, safe);
    }
    const cut = text.length > budget;
    if (cut) text = text.slice(0, budget);
    budget -= text.length;
    if (text !== '') yield { kind: 'text', text };
    if (cut || stopAt !== undefined) {
      yield { kind: 'end' };
      yield { kind: 'stop', reason: cut ? 'max_tokens' : 'stop_sequence' };
      return;
    }
  }
  if (held !== '') yield { kind: 'text', text: held };
}

function firstStop(text: string, sequences: readonly string[]): number | undefined {
  const found = sequences.map((sequence) => text.indexOf(sequence)).filter((index) => index >= 0);
  return found.length === 0 ? undefined : Math.min(...found);
}

/** How many of the last characters could be the beginning of a stop sequence. */
function possibleStopTail(text: string, sequences: readonly string[]): number {
  let longest = 0;
  for (const sequence of sequences) {
    for (let length = Math.min(sequence.length - 1, text.length); length > longest; length -= 1) {
      if (text.endsWith(sequence.slice(0, length))) longest = length;
    }
  }
  return longest;
}
