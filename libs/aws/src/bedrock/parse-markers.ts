import type { AnswerPiece } from './answer-pieces.ts';

const blank = /^\s*$/;
const partial = /^\s*\[(?:\d{1,3}(?:\s*,\s*\d{0,3})*)?$/;
const whole = /^\s*\[(\d{1,3}(?:\s*,\s*\d{1,3})*)\]$/;
const sentenceEnd = /[.!?:]["')\]]?$/;

/**
 * Turns streamed text with `[1]` or `[1, 3]` markers into pieces without them: a marker cites its passage for the sentence
 * before it, and a number that no passage has is dropped. Only what may become a marker is held back.
 */
export function createMarkerParser(passageBlocks: readonly number[]): {
  push(text: string): AnswerPiece[];
  end(): AnswerPiece[];
} {
  let held = '';
  let said = '';
  let cited = false;

  function flush(out: AnswerPiece[]): void {
    if (held === '') return;
    const newSentence = /^\s/.test(held) && sentenceEnd.test(said);
    if (cited || newSentence) out.push({ kind: 'segment-end' });
    cited = false;
    out.push({ kind: 'text', text: held });
    said = held.slice(-4).trimEnd() === '' ? said : held.slice(-4);
    held = '';
  }

  function cite(numbers: string, out: AnswerPiece[]): void {
    for (const number of numbers.split(',')) {
      const passage = Number(number.trim()) - 1;
      const blocks = passageBlocks[passage];
      if (blocks === undefined) continue;
      out.push({ kind: 'citation', passage, blocks: [0, blocks], quote: '' });
      cited = true;
    }
    held = '';
  }

  return {
    push(text) {
      const out: AnswerPiece[] = [];
      for (const character of text) {
        const grown = held + character;
        const marker = whole.exec(grown)?.[1];
        if (marker !== undefined) cite(marker, out);
        else if (blank.test(grown) || partial.test(grown)) held = grown;
        else if (blank.test(held)) {
          held = grown;
          flush(out);
        } else {
          flush(out);
          held = character;
          if (!blank.test(held) && !partial.test(held)) flush(out);
        }
      }
      return joined(out);
    },
    end() {
      const out: AnswerPiece[] = [];
      // White space at the end supports nothing and says nothing.
      if (!blank.test(held)) flush(out);
      out.push({ kind: 'segment-end' });
      return joined(out);
    },
  };
}

/** Text pieces that follow each other as one. */
function joined(pieces: readonly AnswerPiece[]): AnswerPiece[] {
  const out: AnswerPiece[] = [];
  for (const piece of pieces) {
    const last = out.at(-1);
    if (piece.kind === 'text' && last?.kind === 'text')
      out[out.length - 1] = { kind: 'text', text: last.text + piece.text };
    else out.push(piece);
  }
  return out;
}
