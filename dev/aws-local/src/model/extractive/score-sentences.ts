import { isInstructionToModel } from './detect-injection.ts';
import { PARAMETERS } from './parameters.ts';
import { isNegative, type QuestionCues } from './question-cues.ts';
import type { Passage } from './read-request.ts';
import { splitSentences, type Sentence } from './split-sentences.ts';
import { isGeneric, kindsOfMeasure, matchTerm, switchings, terms } from './terms.ts';

/** A sentence of a passage, ready to be judged against a question. */
export interface Candidate extends Sentence {
  /** Position of its passage among the passages, and of itself in its passage: together the order of reading. */
  readonly passage: number;
  readonly block: number;
  readonly order: number;
  readonly stems: ReadonlySet<string>;
  readonly sequence: readonly string[];
}

export interface Scored {
  readonly candidate: Candidate;
  readonly score: number;
  /** The share of what was asked, by weight, that the sentence and what surrounds it speak of: 0..1. */
  readonly coverage: number;
  /** The same without its neighbours: of the sentence and the heading above it alone. */
  readonly ownCoverage: number;
  /** The question's terms in the sentence itself. */
  readonly matched: ReadonlySet<string>;
  /** The weightiest of them. */
  readonly subject: string;
  /** The share of the question's subject, everyday words left out, that the heading above it speaks of. */
  readonly headingCoverage: number;
  /** Of the kind that the question's words ask for. */
  readonly fits: boolean;
  /** "Ring red: a fault.": what stands before the colon is what was asked for, no more and no less. */
  readonly isLabelled: boolean;
}

/** Every quotable sentence of the passages, in order of reading. Sentences that address the model are left out here, once and for all. */
export function readCandidates(passages: readonly Passage[]): Candidate[] {
  return passages.flatMap((passage, index) => {
    let order = 0;
    return passage.blocks.flatMap((block, blockIndex) =>
      splitSentences(block).flatMap((sentence): Candidate[] => {
        order += 1;
        if (isInstructionToModel(sentence.text) || isContents(sentence.text)) return [];
        const sequence = terms(sentence.text);
        const stems = new Set([...sequence, ...kindsOfMeasure(sentence.text), ...switchings(sentence.text)]);
        return [{ ...sentence, passage: index, block: blockIndex, order, sequence, stems }];
      }),
    );
  });
}

/** "Safety, page 3. Parts, page 4." or "Safety ..... 3": a table of contents names everything and answers nothing. */
function isContents(sentence: string): boolean {
  return (
    (sentence.match(/\bp(?:age|\.)\s*\d+/gi) ?? []).length >= 3 ||
    /(?:\.\s?){4,}\s*\d/.test(sentence) ||
    /^[^.:;]{1,60}, page \d+\.?$/.test(sentence)
  );
}

const LEAST_WEIGHT = 0.1;
const GENERIC_SHARE = 0.35;

/** What each term of the question is worth: rare in the passages is worth much, and words of every manual little. */
export function weighTerms(questionTerms: readonly string[], candidates: readonly Candidate[]): Map<string, number> {
  const weights = new Map<string, number>();
  for (const term of new Set(questionTerms)) {
    const inSentences = candidates.filter((candidate) => matchTerm(term, candidate.stems) >= 0.8).length;
    const idf = Math.log(1 + (candidates.length - inSentences + 0.5) / (inSentences + 0.5));
    const known = candidates.some((candidate) => matchTerm(term, candidate.stems) > 0);
    const informs = Math.max(LEAST_WEIGHT, known ? idf : idf * PARAMETERS.absentShare);
    // That an everyday word is missing says little; that the subject is missing says all.
    if (isGeneric(term)) weights.set(term, inSentences === 0 ? LEAST_WEIGHT : informs * GENERIC_SHARE);
    else weights.set(term, informs);
  }
  return weights;
}

/** Scores every sentence for a question whose terms are weighed. */
export function scoreSentences(
  candidates: readonly Candidate[],
  passages: readonly Passage[],
  questionTerms: readonly string[],
  weights: ReadonlyMap<string, number>,
  cues: QuestionCues,
): Scored[] {
  const total = [...weights.values()].reduce((sum, weight) => sum + weight, 0);
  const titles = passages.map((passage) => new Set(terms(passage.title)));
  const pairs = new Set(questionTerms.slice(1).map((term, index) => `${questionTerms[index]} ${term}`));

  const subjects = [...weights].reduce((sum, [term, weight]) => (isGeneric(term) ? sum : sum + weight), 0);
  const share = (weight: number) => (total === 0 ? 0 : weight / total);

  return candidates.map((candidate, at) => {
    const heading = new Set(terms(candidate.heading));
    const above = new Set([...(titles[candidate.passage] ?? []), ...heading]);
    const beside = new Set<string>();
    for (const neighbour of [candidates[at - 1], candidates[at - 2], candidates[at + 1]]) {
      if (neighbour?.passage === candidate.passage) for (const stem of neighbour.stems) beside.add(stem);
    }
    const matched = new Set<string>();
    let own = 0;
    let around = 0;
    let known = 0;
    let alone = 0;
    let headed = 0;
    let subject = '';
    for (const [term, weight] of weights) {
      const here = matchTerm(term, candidate.stems);
      if (here > 0) {
        matched.add(term);
        if (weight > (weights.get(subject) ?? 0)) subject = term;
      }
      const inHeading = here === 1 ? 0 : matchTerm(term, above);
      const inNeighbour = here === 1 ? 0 : matchTerm(term, beside);
      if (!isGeneric(term)) headed += weight * matchTerm(term, heading);
      own += weight * here;
      around += weight * Math.max(0, inHeading * PARAMETERS.headingShare, inNeighbour * PARAMETERS.neighbourShare);
      alone += weight * Math.max(here, inHeading);
      known += weight * Math.max(here, inHeading, inNeighbour);
    }
    const adjacent = candidate.sequence
      .slice(1)
      .filter((stem, index) => pairs.has(`${candidate.sequence[index]} ${stem}`)).length;
    const length = candidate.sequence.length;
    let score = share(own + around);
    score *= 1 + PARAMETERS.pairBonus * Math.min(2, adjacent);
    const fits = cues.kind?.fits(candidate.text) === true;
    if (fits) score *= 1 + PARAMETERS.cueBonus;
    const isLabelled = isLabelFor(candidate.text, weights);
    if (isLabelled) score *= 1 + PARAMETERS.labelBonus;
    if (cues.negative && isNegative(candidate.text)) score *= 1 + PARAMETERS.cueBonus;
    if (candidate.isHeading) score *= 0.3;
    else if (length < 4 && !isLabelled) score *= 0.7;
    else if (length > 40) score *= 0.8;
    if (candidate.text.endsWith('?')) score *= 0.6;
    if (/^(?:for more information|refer to|see (?:page|the))\b/i.test(candidate.text)) score *= 0.6;
    score /= 1 + PARAMETERS.rankDiscount * candidate.passage;
    return {
      candidate,
      score,
      coverage: share(known),
      ownCoverage: share(alone),
      matched,
      subject,
      headingCoverage: subjects === 0 ? 0 : headed / subjects,
      fits,
      isLabelled,
    };
  });
}

function isLabelFor(sentence: string, weights: ReadonlyMap<string, number>): boolean {
  const label = new Set(terms(labelOf(sentence) ?? ''));
  if (label.size === 0) return false;
  const asked = new Set(weights.keys());
  const subjects = [...asked].filter((term) => !isGeneric(term));
  return [...label].every((term) => matchTerm(term, asked) > 0) && subjects.every((term) => matchTerm(term, label) > 0);
}

/** The part before the colon of "Ring red: a fault." */
export function labelOf(sentence: string): string | undefined {
  return /^([^:.;!?]{3,60}):\s/.exec(sentence)?.[1];
}
