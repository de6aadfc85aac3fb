import { isImperative } from './imperative.ts';
import { PARAMETERS } from './parameters.ts';
import type { QuestionCues } from './question-cues.ts';
import type { Passage } from './read-request.ts';
import type { Candidate } from './score-sentences.ts';
import { isGeneric, matchTerm, terms } from './terms.ts';

/** What stands between two headings, in order of reading. */
export interface Section {
  /** Empty where a passage starts in the middle of a section. */
  readonly heading: string;
  readonly passage: number;
  readonly sentences: readonly Candidate[];
}

/**
 * The section whose heading is what was asked for; of several the best. An opening sentence, or a heading that text extraction has
 * put into the line, proves less than a heading on a line of its own: it counts only around `best`, the sentence that matches best.
 */
export function findSection(
  candidates: readonly Candidate[],
  passages: readonly Passage[],
  weights: ReadonlyMap<string, number>,
  cues: QuestionCues,
  best: Candidate | undefined,
): Section | undefined {
  let found: Section | undefined;
  let foundScore = 0;
  for (const section of readSections(candidates)) {
    if (!cues.bareTopic && !section.sentences.some(({ isItem, text }) => isItem || isImperative(text))) continue;
    const isAroundBest = best !== undefined && section.sentences.includes(best);
    const title = new Set(terms(passages[section.passage]?.title ?? ''));
    const naming = [
      ...(isAroundBest || !section.heading.endsWith('.') ? [terms(section.heading)] : []),
      ...(isAroundBest ? [section.sentences[0]?.sequence ?? []] : []),
    ];
    for (const stems of naming) {
      const score = rate(new Set(stems), section, title, weights);
      if (score > foundScore) [found, foundScore] = [section, score];
    }
  }
  return found;
}

function readSections(candidates: readonly Candidate[]): Section[] {
  const sections: { heading: string; passage: number; block: number; sentences: Candidate[] }[] = [];
  for (const candidate of candidates) {
    const last = sections.at(-1);
    const { passage, block } = candidate;
    if (candidate.isHeading) sections.push({ heading: candidate.text, passage, block, sentences: [] });
    else if (last?.passage !== passage || last.block !== block)
      sections.push({ heading: '', passage, block, sentences: [candidate] });
    else last.sentences.push(candidate);
  }
  const filled = sections.filter(({ sentences }) => sentences.length > 0);
  return filled.map((section) => ({ ...section, sentences: [...section.sentences, ...continuation(section, filled)] }));
}

/** The rest of numbered steps that run on in another block: passages are cut by length, not by sense. */
function continuation(section: Section, sections: readonly Section[]): readonly Candidate[] {
  const lastStep = section.sentences.map(({ text }) => stepNumber(text)).findLast((number) => number !== undefined);
  if (lastStep === undefined) return [];
  const next = sections.find(
    ({ heading, passage, sentences }) =>
      heading === '' && passage === section.passage && stepNumber(sentences[0]?.text ?? '') === lastStep + 1,
  );
  return next?.sentences ?? [];
}

function stepNumber(text: string): number | undefined {
  const number = /^\(?(\d{1,2})[.)]\s/.exec(text)?.[1];
  return number === undefined ? undefined : Number(number);
}

/** 0 when `naming` is not what was asked for, else about 1. */
function rate(
  naming: ReadonlySet<string>,
  { passage, sentences }: Section,
  title: ReadonlySet<string>,
  weights: ReadonlyMap<string, number>,
): number {
  const { minHeadingShare, minPrecision, minCoverage, rankDiscount } = PARAMETERS.section;
  const subjects = [...weights].filter(([term]) => !isGeneric(term));
  // That the whole manual is about it distinguishes no section.
  const telling = subjects.filter(([term]) => !title.has(term));
  const share = shareOf(telling.length > 0 ? telling : subjects, (term) => matchTerm(term, naming));
  const asked = new Set(weights.keys());
  const precision = [...naming].filter((stem) => matchTerm(stem, asked) > 0).length / Math.max(1, naming.size);
  const within = new Set(sentences.flatMap(({ sequence }) => sequence));
  const coverage = shareOf([...weights], (term) =>
    Math.max(matchTerm(term, naming), matchTerm(term, within), matchTerm(term, title)),
  );
  if (share < minHeadingShare || precision < minPrecision || coverage < minCoverage) return 0;
  return (share + precision / 2) / (1 + rankDiscount * passage);
}

function shareOf(weights: readonly (readonly [string, number])[], degree: (term: string) => number): number {
  let sum = 0;
  let total = 0;
  for (const [term, weight] of weights) {
    sum += weight * degree(term);
    total += weight;
  }
  return total === 0 ? 0 : sum / total;
}

/**
 * The steps of a section from the first on, after its opening sentence where they are numbered; of a bare topic its beginning.
 * `parts` of the question share the room. An opening that only repeats what was `asked` is no step.
 */
export function quoteSection(
  { sentences }: Section,
  { asked, isTopic, parts }: { asked: ReadonlySet<string>; isTopic: boolean; parts: number },
): Candidate[] {
  const firstItem = sentences.findIndex(({ isItem }) => isItem);
  const isNumbered = firstItem >= 0;
  const firstStep = sentences.findIndex(({ text, stems }) => isImperative(text) && !repeats(stems, asked));
  const start = isNumbered || isTopic ? 0 : Math.max(0, firstStep);
  const quotable = firstItem > 1 ? [...sentences.slice(0, 1), ...sentences.slice(firstItem)] : sentences.slice(start);
  const most = (isNumbered ? PARAMETERS.maxNumberedSentences : PARAMETERS.maxSectionSentences) / parts;
  const quoted: Candidate[] = [];
  let characters = 0;
  for (const sentence of quotable) {
    // What follows a list on a line of its own is no step.
    if (quoted.at(-1)?.isItem === true && !sentence.isItem && sentence.startsLine) break;
    characters += sentence.text.length;
    if (quoted.length > 0 && (quoted.length >= most || characters > PARAMETERS.maxSectionCharacters / parts)) break;
    quoted.push(sentence);
  }
  return quoted;
}

function repeats(stems: ReadonlySet<string>, asked: ReadonlySet<string>): boolean {
  const known = [...stems].filter((stem) => matchTerm(stem, asked) === 1).length;
  return known >= PARAMETERS.section.openingRestatementShare * stems.size;
}
