import type { RetrievedPassage } from '@manuel/aws';
import type { Citation } from '@manuel/contracts';
import { toCitation } from './cite.ts';
import { contentWords, coverage, sentenceSpans } from './words.ts';

const maxSentences = 3;
const leastCoverage = 0.3;
/** What was retrieved first is likelier right; a place lower costs this much coverage. */
const rankCost = 0.03;

/**
 * An answer without a model: the sentences of the passages that share most words with the question, quoted and cited.
 * Undefined when none does.
 */
export function extractAnswer(
  question: string,
  passages: readonly RetrievedPassage[],
): { readonly answer: string; readonly citations: Citation[] } | undefined {
  const wanted = contentWords(question);
  const sentences = passages.flatMap((block, rank) =>
    sentenceSpans(block.text).map(([start, end]) => {
      const text = block.text.slice(start, end);
      const share = coverage(wanted, text);
      return { block, text, share, score: share - rank * rankCost, start, rank };
    }),
  );
  const best = sentences
    .filter(({ share, text }) => share >= leastCoverage && text.length > 15)
    .sort((a, b) => b.score - a.score)
    .filter(({ text }, index, all) => all.findIndex((other) => other.text === text) === index)
    .slice(0, maxSentences)
    .sort((a, b) => a.rank - b.rank || a.start - b.start);
  if (best.length === 0) return undefined;
  let answer = '';
  const citations: Citation[] = [];
  for (const { block, text } of best) {
    if (answer !== '') answer += '\n';
    citations.push(toCitation(block, [answer.length, answer.length + text.length], text));
    answer += text;
  }
  return { answer, citations };
}
