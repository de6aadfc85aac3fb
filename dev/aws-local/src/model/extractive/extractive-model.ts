import { setTimeout as pause } from 'node:timers/promises';
import { callCatalogueTool } from '../catalogue/call-catalogue-tool.ts';
import type { ConverseRequest, ModelPiece, TextModel } from '../wire/converse-shapes.ts';
import { readTask, type Passage } from './read-request.ts';
import { rewriteQuestion, wantsRewrite } from './rewrite-question.ts';
import type { Candidate } from './score-sentences.ts';
import { selectSentences } from './select-sentences.ts';

export const NO_ANSWER = 'The manuals provided do not answer this question.';

/**
 * A model that understands nothing and invents nothing: it quotes the sentences of the request's passages that best match the
 * question, cites each, and says so when none does. System prompt and passages are never obeyed.
 */
export function createExtractiveModel({ tokenDelayMs }: { tokenDelayMs: number }): TextModel {
  return {
    async *generate(request, signal) {
      for (const piece of answer(request)) {
        signal.throwIfAborted();
        if (piece.kind === 'text' && tokenDelayMs > 0) await pause(tokenDelayMs, undefined, { signal });
        yield piece;
      }
    },
  };
}

function* answer(request: ConverseRequest): Generator<ModelPiece> {
  if (wantsRewrite(request)) {
    yield* say(rewriteQuestion(request));
    yield { kind: 'stop', reason: 'end_turn' };
    return;
  }
  const call = callCatalogueTool(request);
  if (call !== undefined) {
    yield { kind: 'tool-start', toolUseId: call.toolUseId, name: call.name };
    yield { kind: 'tool-input', json: JSON.stringify(call.input) };
    yield { kind: 'end' };
    yield { kind: 'stop', reason: 'tool_use' };
    return;
  }
  const task = readTask(request);
  const sentences = selectSentences(task);
  if (sentences.length === 0) yield* say(NO_ANSWER);
  for (const [index, sentence] of sentences.entries()) {
    yield* quote(sentence, task.passages[sentence.passage], sentences[index + 1]);
  }
  yield { kind: 'stop', reason: 'end_turn' };
}

/** One sentence with what proves it: a citation of its search result, or its passage's number in brackets. */
function* quote(sentence: Candidate, passage: Passage | undefined, next: Candidate | undefined): Generator<ModelPiece> {
  const gap = next === undefined ? '' : next.isItem || (sentence.isItem && next.startsLine) ? '\n' : ' ';
  const reference = passage?.reference;
  if (passage === undefined || reference === undefined) return;
  if (reference.kind === 'number') {
    yield* say(`${sentence.text} [${reference.number}]${gap}`);
    return;
  }
  yield* say(sentence.text + gap);
  if (!reference.citations) return;
  yield {
    kind: 'citation',
    citation: {
      title: passage.title,
      source: passage.source,
      sourceContent: [{ text: sentence.text }],
      location: {
        searchResultLocation: { searchResultIndex: reference.index, start: sentence.block, end: sentence.block + 1 },
      },
    },
  };
  yield { kind: 'end' };
}

/** Word by word, each with the white space before it. */
function* say(text: string): Generator<ModelPiece> {
  for (const word of text.match(/\s*\S+|\s+$/g) ?? []) yield { kind: 'text', text: word };
}
