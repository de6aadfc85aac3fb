import { tellsPlace } from './answer-kinds.ts';
import { completeAll, completeEllipsis } from './complete-ellipsis.ts';
import { findSection, quoteSection } from './find-section.ts';
import { isImperative } from './imperative.ts';
import { PARAMETERS } from './parameters.ts';
import { readCues, splitQuestion, type QuestionCues } from './question-cues.ts';
import type { Passage, Task } from './read-request.ts';
import { labelOf, readCandidates, scoreSentences, weighTerms, type Candidate, type Scored } from './score-sentences.ts';
import { isGeneric, isMeasureTerm, matchTerm, ownedTerm, questionTerms, terms, words } from './terms.ts';

/**
 * The sentences that answer the task's question, in the order they should be read: at most four, or the steps under the heading
 * that asks it. None when the passages hold no answer.
 */
export function selectSentences(request: Task): Candidate[] {
  const task = { ...request, earlierQuestions: completeAll(request.earlierQuestions) };
  const candidates = readCandidates(task.passages);
  const chosen: Candidate[] = [];
  const parts = splitQuestion(completeEllipsis(task.question, task.earlierQuestions.at(-1)) ?? task.question);
  for (const part of parts) {
    for (const candidate of answerPart(part, task, candidates, parts.length)) {
      if (!chosen.some((other) => isSame(other, candidate))) chosen.push(candidate);
    }
  }
  return parts.length > 1 ? inReadingOrder(chosen) : chosen;
}

function answerPart(question: string, task: Task, candidates: readonly Candidate[], parts: number): Candidate[] {
  const limit = Math.max(1, Math.floor(PARAMETERS.maxSentences / parts));
  const asked = questionTerms(question);
  const cues = readCues(question);
  const weights = weighTerms(asked, candidates);
  const own = new Map(weights);
  const subjects = [...weights.keys()].filter((term) => !isGeneric(term)).length;
  if (isFollowUp(question, asked)) addEarlierTerms(weights, task, candidates);
  // A question made of nothing but a few everyday words cannot be matched to a passage with any confidence.
  const isVague = ![...weights.keys()].some((term) => !isGeneric(term));
  const isTooVague = isVague && weights.size < PARAMETERS.minEverydayTerms;
  const owned = ownedTerm(question);
  const isElsewhere = owned !== undefined && isForeign(owned, candidates, task.passages);
  const scored = scoreSentences(candidates, task.passages, asked, weights, cues);
  const ranked = scored
    .filter((entry) => !entry.candidate.isHeading && (entry.matched.size > 0 || isMeasureUnderHeading(entry, cues)))
    .sort((a, b) => b.score - a.score);
  const able = ranked.filter((entry) => {
    if (isElsewhere && !entry.candidate.stems.has(owned)) return false;
    if (isVague) return entry.matched.size === weights.size && (!isTooVague || isTelling(entry, cues));
    return entry.coverage >= PARAMETERS.minCoverage && isOnSubject(entry);
  });
  if ((cues.procedure || cues.bareTopic) && !isElsewhere) {
    const section = findSection(candidates, task.passages, subjects > 0 ? own : weights, cues, able[0]?.candidate);
    if (section !== undefined) return quoteSection(section, { asked: new Set(asked), isTopic: !cues.procedure, parts });
  }
  const least = PARAMETERS.kindShare * (able[0]?.score ?? 0);
  const likely = able.filter(
    (entry) => entry.fits && entry.score >= least && entry.ownCoverage >= PARAMETERS.minOwnCoverage,
  );
  // "Weight 9.4 kg" says what it is; "holds 250 grams" is any weight.
  const measures = asked.filter(isMeasureTerm);
  const named = likely.filter(({ candidate }) =>
    measures.some((term) => matchTerm(term, candidate.stems) >= PARAMETERS.namedMeasure),
  );
  const fitting = named.length > 0 ? named : likely;
  // "How fast is it?" is answered by a speed or not at all.
  const isAboutMeasure = measures.length > 0 && measures.length === subjects;
  if ((cues.kind?.required === true || isAboutMeasure) && fitting.length === 0) return [];
  const preferred = cues.kind?.strict === true && fitting.length > 0 ? fitting : ranked;
  const best = preferred === ranked ? (able.find((entry) => entry.isLabelled) ?? bestOf(able, cues)) : fitting[0];
  if (best === undefined) return [];
  if (best.isLabelled) return withWhatFollows(best, scored, limit);
  if (cues.procedure)
    return withSteps(best, scored, ranked, Math.max(1, Math.floor(PARAMETERS.maxSectionSentences / parts)));
  const isMeasured = preferred === fitting;
  const support = isMeasured
    ? withSupport(best, scored, preferred, Math.min(limit, PARAMETERS.maxStrictSentences), PARAMETERS.minShareOfMeasure)
    : withSupport(best, scored, preferred, limit);
  return isMeasured ? support : inReadingOrder(support);
}

/** "What does the light on my dishwasher mean?" is not for a manual that names dishwashers once or twice. */
function isForeign(owned: string, candidates: readonly Candidate[], passages: readonly Passage[]): boolean {
  if (passages.some(({ title }) => terms(title).includes(owned))) return false;
  const naming = candidates.filter(({ stems }) => matchTerm(owned, stems) > 0.5);
  return naming.length < PARAMETERS.minOwnedSentences && !naming.some(({ isHeading }) => isHeading);
}

/** What makes up for a question of one or two everyday words: a line of just that name, or the measure that is asked for. */
function isTelling(entry: Scored, { kind }: QuestionCues): boolean {
  return kind?.strict === true ? entry.fits && entry.matched.size > 1 : entry.isLabelled;
}

/** Who asks how to do something is not told where the thing is, if what to do is nearly as likely meant. */
function bestOf(able: readonly Scored[], { procedure }: QuestionCues): Scored | undefined {
  const [first] = able;
  if (first === undefined || !procedure || !tellsPlace(first.candidate.text)) return first;
  return able.find((entry) => entry.fits && entry.score >= PARAMETERS.minShareOfStep * first.score) ?? first;
}

/** "36 months." under "Warranty" */
const isMeasureUnderHeading = (entry: Scored, { kind }: QuestionCues): boolean =>
  kind?.strict === true && entry.fits && entry.headingCoverage >= PARAMETERS.minCoverage;

/** Speaks of the question's subject, or stands under a heading that does and is just what was asked for. */
function isOnSubject(entry: Scored): boolean {
  if ([...entry.matched].some((term) => !isGeneric(term))) return true;
  return entry.fits && entry.headingCoverage >= PARAMETERS.minCoverage;
}

/** Adds the steps that follow a procedure's best sentence; where a heading asks the question, all steps are under it. */
function withSteps(best: Scored, scored: readonly Scored[], ranked: readonly Scored[], limit: number): Candidate[] {
  const { passage, heading } = best.candidate;
  const isNearlyAsGood = (entry: Scored) => entry.score >= PARAMETERS.minShareOfBest * best.score;
  const underHeading = scored.filter(
    ({ candidate }) => candidate.passage === passage && candidate.heading === heading && !candidate.isHeading,
  );
  const begins =
    best.headingCoverage >= PARAMETERS.minCoverage ? underHeading : underHeading.slice(firstStep(underHeading, best));
  const steps: Candidate[] = [];
  for (const entry of begins) {
    const isStep =
      entry.candidate.isItem || isImperative(entry.candidate.text) || entry === best || isNearlyAsGood(entry);
    const startsAnew = steps.length > 0 && labelOf(entry.candidate.text) !== undefined && !entry.candidate.isItem;
    const most = entry.candidate.isItem ? Math.max(limit, PARAMETERS.maxNumberedSentences) : limit;
    if (steps.length >= most || startsAnew || (steps.length > 0 && !isStep)) break;
    if (isStep) steps.push(entry.candidate);
  }
  return steps.length > 1 ? steps : withSupport(best, scored, ranked, Math.min(limit, 2));
}

/** Where the list begins that `best` is an item of. */
function firstStep(sentences: readonly Scored[], best: Scored): number {
  let first = sentences.indexOf(best);
  while (best.candidate.isItem && sentences[first - 1]?.candidate.isItem === true) first -= 1;
  return first;
}

/** Adds sentences nearly as good as the best, on the same subject, or on a part of the question that it leaves open. */
function withSupport(
  best: Scored,
  scored: readonly Scored[],
  ranked: readonly Scored[],
  limit: number,
  minShare = PARAMETERS.minShareOfBest,
): Candidate[] {
  if (isRestatement(best)) return withWhatFollows(best, scored, limit);
  const chosen = [best];
  for (const entry of ranked) {
    if (chosen.length >= limit || entry.score < minShare * best.score) break;
    const isElsewhere = entry.candidate.passage !== best.candidate.passage;
    if (isElsewhere && entry.score < PARAMETERS.minShareElsewhere * best.score) continue;
    if (chosen.some((other) => isSame(other.candidate, entry.candidate))) continue;
    const addsTerm = [...entry.matched].some(
      (term) => !isGeneric(term) && chosen.every((other) => !other.matched.has(term)),
    );
    if (addsTerm || entry.matched.has(best.subject)) chosen.push(entry);
  }
  return chosen.map((entry) => entry.candidate);
}

/** "The TV does not turn on.": it says what was asked and no more, as the problems in a trouble table do. */
function isRestatement({ candidate, matched }: Scored): boolean {
  const stems = [...candidate.stems];
  return stems.filter((stem) => matched.has(stem)).length >= PARAMETERS.restatementShare * stems.length;
}

/** What follows a restated problem is its remedy. */
function withWhatFollows(best: Scored, scored: readonly Scored[], limit: number): Candidate[] {
  const chosen = [best.candidate];
  for (const entry of scored.slice(scored.indexOf(best) + 1)) {
    if (
      chosen.length >= Math.min(limit, 3) ||
      entry.candidate.passage !== best.candidate.passage ||
      entry.candidate.block !== best.candidate.block ||
      entry.candidate.isHeading ||
      labelOf(entry.candidate.text) !== undefined
    )
      break;
    chosen.push(entry.candidate);
  }
  return chosen;
}

/** "And how often?" means something only together with the question before it. */
export function isFollowUp(question: string, asked: readonly string[]): boolean {
  const subjects = asked.filter((term) => !isGeneric(term)).length;
  if (subjects === 0) return true;
  if (/^\s*(?:and|but|so|or|what about|how about|then|also|what if)\b/i.test(question)) return true;
  return (
    subjects <= 2 &&
    words(question).some((word) =>
      ['it', 'its', 'that', 'this', 'they', 'them', 'those', 'these', 'one', 'ones'].includes(word),
    )
  );
}

function addEarlierTerms(weights: Map<string, number>, task: Task, candidates: readonly Candidate[]): void {
  const earlier = task.earlierQuestions.at(-1);
  if (earlier === undefined) return;
  for (const [term, weight] of weighTerms(questionTerms(earlier), candidates)) {
    if (!weights.has(term)) weights.set(term, weight * PARAMETERS.earlierQuestionWeight);
  }
}

/** Equal but for small words: a passage and its neighbour often overlap. */
function isSame(a: Candidate, b: Candidate): boolean {
  if (a === b) return true;
  const shared = [...a.stems].filter((stem) => b.stems.has(stem)).length;
  return shared >= 0.85 * Math.max(a.stems.size, b.stems.size) && a.stems.size > 0;
}

/** The best sentence's passage, and block of it, first; inside a block as printed. */
function inReadingOrder(chosen: readonly Candidate[]): Candidate[] {
  const place = ({ passage, block }: Candidate) => `${passage} ${block}`;
  const places = [...new Set(chosen.map(place))];
  return chosen.toSorted((a, b) => places.indexOf(place(a)) - places.indexOf(place(b)) || a.order - b.order);
}
