import type { RetrievedPassage } from '@manuel/aws';
import type { Citation } from '@manuel/contracts';
import type { JoinedPassage } from './join-passages.ts';
import { contentWords, coverage, sentenceSpans } from './words.ts';

/** A sentence shares at least this much of its words with a passage that may be called its source. */
const supportShare = 0.7;

export function toCitation(block: RetrievedPassage, span: readonly [number, number], quote = ''): Citation {
  const { manual_id, filename, page, score, text } = block;
  // What the model says it read counts only when it stands there, letter for letter.
  const excerpt = quote !== '' && text.includes(quote) ? quote : text;
  return { manual_id, filename, page, excerpt, score, span: [span[0], span[1]] };
}

/** The block of a passage that a statement is from: the one that holds the quote, else the one that shares most words. */
export function sourceBlock(
  passage: JoinedPassage,
  blocks: readonly [number, number],
  statement: string,
  quote: string,
): RetrievedPassage | undefined {
  const candidates = passage.blocks.slice(blocks[0], blocks[1]);
  if (quote !== '') {
    const holder =
      candidates.find((block) => block.text.includes(quote)) ??
      passage.blocks.find((block) => block.text.includes(quote));
    if (holder) return holder;
  }
  const wanted = contentWords(statement);
  let best: RetrievedPassage | undefined;
  let bestShare = -1;
  for (const block of candidates) {
    const share = coverage(wanted, block.text);
    if (share > bestShare) [best, bestShare] = [block, share];
  }
  return best;
}

/** Citations for an answer that came without any: each sentence whose words stand in one of the passages. */
export function attribute(answer: string, passages: readonly JoinedPassage[]): Citation[] {
  const blocks = passages.flatMap((passage) => passage.blocks);
  return sentenceSpans(answer).flatMap((span): Citation[] => {
    const wanted = contentWords(answer.slice(...span));
    if (wanted.size < 3) return [];
    const [best] = blocks
      .map((block) => ({ block, share: coverage(wanted, block.text) }))
      .filter(({ share }) => share >= supportShare)
      .sort((a, b) => b.share - a.share);
    return best ? [toCitation(best.block, span)] : [];
  });
}
