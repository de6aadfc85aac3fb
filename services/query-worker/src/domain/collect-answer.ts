import type { AnswerPiece } from '@manuel/aws';
import type { Citation } from '@manuel/contracts';
import { attribute, sourceBlock, toCitation } from './cite.ts';
import type { JoinedPassage } from './join-passages.ts';
import { noAnswerSentence } from './system-prompt.ts';

export interface CollectedAnswer {
  readonly answer: string;
  readonly citations: Citation[];
}

export interface AnswerCollector {
  piece(piece: AnswerPiece): void;
  /** What has been said so far. */
  readonly said: string;
  /** The answer complete. `final` false: the model broke off, or was stopped, so that what there is stands as it is. */
  end(complete: boolean): CollectedAnswer;
}

/**
 * Passes the model's words on as they come and builds the answer that they make up: what is said is the answer, letter for
 * letter. Held back are white space at either end and, at the beginning, what may still turn out to be the sentence for "no
 * answer", which the persona says in its own words.
 */
export function collectAnswer(
  passages: readonly JoinedPassage[],
  noAnswer: string,
  say: (text: string) => void,
): AnswerCollector {
  let said = '';
  let held = '';
  let mayBeNoAnswer = true;
  let segmentStart = 0;
  let cited: Extract<AnswerPiece, { kind: 'citation' }>[] = [];
  const citations: Citation[] = [];

  function out(text: string): void {
    if (text === '') return;
    said += text;
    say(text);
  }

  function text(more: string): void {
    held += more;
    if (said === '') held = held.trimStart();
    if (mayBeNoAnswer) {
      const soFar = held.trimEnd();
      if (noAnswerSentence.startsWith(soFar)) return;
      mayBeNoAnswer = false;
    }
    const words = held.trimEnd();
    const space = held.slice(words.length);
    out(words);
    held = space;
  }

  function endSegment(): void {
    const raw = said.slice(segmentStart);
    // A full stop that came after the marker of the sentence before belongs to no statement.
    const start = segmentStart + (/^[\s.,;:!?]*/u.exec(raw)?.[0].length ?? 0);
    const span: [number, number] = [start, said.length];
    for (const { passage, blocks, quote } of cited) {
      const source = passages[passage];
      const block = source && sourceBlock(source, blocks, said.slice(...span), quote);
      if (!block || span[1] <= span[0]) continue;
      const citation = toCitation(block, span, quote);
      const same = (other: Citation): boolean =>
        other.manual_id === citation.manual_id &&
        other.page === citation.page &&
        other.excerpt === citation.excerpt &&
        other.span[0] === span[0];
      if (!citations.some(same)) citations.push(citation);
    }
    cited = [];
    segmentStart = said.length;
  }

  return {
    get said() {
      return said;
    },
    piece(piece) {
      if (piece.kind === 'text') text(piece.text);
      else if (piece.kind === 'citation') cited.push(piece);
      else endSegment();
    },
    end(complete) {
      if (mayBeNoAnswer && complete && (held.trim() === noAnswerSentence || held.trim() === '')) {
        out(noAnswer);
        return { answer: said, citations: [] };
      }
      out(held.trimEnd());
      endSegment();
      if (said === '') out(noAnswer);
      if (citations.length > 0 || !complete) return { answer: said, citations };
      const found = attribute(said, passages);
      // An answer that no passage supports has to say so.
      if (found.length === 0) out(`\n\n${noAnswer}`);
      return { answer: said, citations: found };
    },
  };
}
