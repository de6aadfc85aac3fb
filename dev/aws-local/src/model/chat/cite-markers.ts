import { matchTerm, terms } from '../extractive/terms.ts';
import { splitSentences } from '../extractive/split-sentences.ts';
import type { ModelPiece, SearchResult } from '../wire/converse-shapes.ts';

const MARKER = /^\s?\[(\d{1,3}(?:\s*,\s*\d{1,3})*)\]/;
const PARTIAL_MARKER = /^\s?(?:\[[\d\s,]{0,20})?$/;
const SENTENCE_END = /[.!?]["”’)]?$/;

/**
 * Turns the `[n]` markers in a text that arrives bit by bit into citations of the text before them, one content block a cited sentence, as
 * Claude does. Only what could be the beginning of a marker is held back.
 */
export class MarkerReader {
  readonly #results: readonly SearchResult[];
  #held = '';
  #block = '';
  #cited: number[] = [];

  constructor(results: readonly SearchResult[]) {
    this.#results = results;
  }

  *read(text: string): Generator<ModelPiece> {
    this.#held += text;
    for (;;) {
      const at = this.#held.search(/\s?\[/);
      const plain = at < 0 ? this.#held.replace(/\s$/, '') : this.#held.slice(0, at);
      if (plain !== '') {
        yield* this.#say(plain);
        this.#held = this.#held.slice(plain.length);
        continue;
      }
      const marker = MARKER.exec(this.#held);
      if (marker !== null) {
        this.#cited.push(...(marker[1] ?? '').split(',').map((number) => Number(number) - 1));
        this.#held = this.#held.slice(marker[0].length);
        continue;
      }
      if (PARTIAL_MARKER.test(this.#held)) return;
      // A bracket that is no marker, or white space before other text.
      const end = Math.max(1, this.#held.search(/\[/) + 1);
      const literal = this.#held.slice(0, end);
      this.#held = this.#held.slice(end);
      yield* this.#say(literal);
    }
  }

  *end(): Generator<ModelPiece> {
    const rest = this.#held.trimEnd();
    this.#held = '';
    if (rest !== '') yield* this.#say(rest);
    yield* this.#close();
  }

  *#say(text: string): Generator<ModelPiece> {
    let words = text;
    if (this.#cited.length > 0) {
      // The full stop after a marker still belongs to the sentence before it.
      const closing = /^[.!?,;:)"”’]+/.exec(words)?.[0] ?? '';
      if (closing !== '') yield { kind: 'text', text: closing };
      words = words.slice(closing.length);
      yield* this.#close();
      if (words === '') return;
    } else if (SENTENCE_END.test(this.#block) && /^\s/.test(words)) {
      yield* this.#close();
    }
    const boundary = /[.!?]["”’)]?(?=\s+\S)/.exec(words);
    if (boundary !== null) {
      const end = boundary.index + boundary[0].length;
      yield* this.#say(words.slice(0, end));
      yield* this.#say(words.slice(end));
      return;
    }
    this.#block += words;
    yield { kind: 'text', text: words };
  }

  *#close(): Generator<ModelPiece> {
    for (const index of new Set(this.#cited)) {
      const result = this.#results[index];
      if (result !== undefined)
        yield {
          kind: 'citation',
          citation: { title: result.title, source: result.source, ...evidence(result, index, this.#block) },
        };
    }
    if (this.#block !== '') yield { kind: 'end' };
    this.#block = '';
    this.#cited = [];
  }
}

/** The sentence of a search result that shares most with the text it supports. */
function evidence(
  result: SearchResult,
  index: number,
  said: string,
): {
  sourceContent: { text: string }[];
  location: { searchResultLocation: { searchResultIndex: number; start: number; end: number } };
} {
  const wanted = new Set(terms(said));
  let best = { text: result.content[0]?.text ?? '', block: 0, score: 0 };
  for (const [block, { text }] of result.content.entries()) {
    for (const sentence of splitSentences(text)) {
      const stems = new Set(terms(sentence.text));
      const score = [...wanted].reduce((sum, term) => sum + matchTerm(term, stems), 0) / Math.sqrt(stems.size + 4);
      if (score > best.score) best = { text: sentence.text, block, score };
    }
  }
  return {
    sourceContent: [{ text: best.text }],
    location: { searchResultLocation: { searchResultIndex: index, start: best.block, end: best.block + 1 } },
  };
}
