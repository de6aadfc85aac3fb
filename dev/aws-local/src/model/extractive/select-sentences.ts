import { PARAMETERS } from './parameters.ts';
import { isImperative, readCues, splitQuestion } from './question-cues.ts';
import type { Task } from './read-request.ts';
import { readCandidates, scoreSentences, weighTerms, type Candidate, type Scored } from './score-sentences.ts';
import { isGeneric, questionTerms, words } from './terms.ts';

/** The sentences that answer the task's question, at most four, in the order they should be read; none when the passages hold no answer. */
export function selectSentences(task: Task): Candidate[] {
  const candidates = readCandidates(task.passages);
  const chosen: Candidate[] = [];
  const parts = splitQuestion(task.question);
  const perPart = Math.max(1, Math.floor(PARAMETERS.maxSentences / parts.length));
  for (const part of parts) {
    for (const candidate of answerPart(part, task, candidates, perPart)) {
      if (!chosen.some((other) => isSame(other, candidate))) chosen.push(candidate);
    }
  }
  return inReadingOrder(chosen);
}

function answerPart(question: string, task: Task, candidates: readonly Candidate[], limit: number): Candidate[] {
  const asked = questionTerms(question);
  const cues = readCues(question);
  const weights = weighTerms(asked, candidates);
  if (isFollowUp(question, asked)) addEarlierTerms(weights, task, candidates);
  // A question made of nothing but everyday words cannot be matched to a passage with any confidence.
  if (![...weights.keys()].some((term) => !isGeneric(term))) return [];
  const scored = scoreSentences(candidates, task.passages, asked, weights, cues);
  const ranked = scored
    .filter((entry) => entry.matched.size > 0 && !entry.candidate.isHeading)
    .sort((a, b) => b.score - a.score);
  const best = ranked.find((entry) => entry.coverage >= PARAMETERS.minCoverage && matchesSubject(entry));
  if (best === undefined) return [];
  return cues.procedure ? withSteps(best, scored, ranked, limit) : withSupport(best, scored, ranked, limit);
}

function matchesSubject(entry: Scored): boolean {
  return [...entry.matched].some((term) => !isGeneric(term));
}

/** Adds the steps that follow a procedure's best sentence; where a heading asks the question, all steps are under it. */
function withSteps(best: Scored, scored: readonly Scored[], ranked: readonly Scored[], limit: number): Candidate[] {
  const { passage, heading } = best.candidate;
  const isNearlyAsGood = (entry: Scored) => entry.score >= PARAMETERS.minShareOfBest * best.score;
  const underHeading = scored.filter(
    ({ candidate }) => candidate.passage === passage && candidate.heading === heading && !candidate.isHeading,
  );
  const begins =
    best.headingCoverage >= PARAMETERS.minCoverage ? underHeading : underHeading.slice(underHeading.indexOf(best));
  const steps: Candidate[] = [];
  for (const entry of begins) {
    const isStep =
      entry.candidate.isItem || isImperative(entry.candidate.text) || entry === best || isNearlyAsGood(entry);
    if (steps.length >= limit || (steps.length > 0 && !isStep)) break;
    if (isStep) steps.push(entry.candidate);
  }
  return steps.length > 1 ? steps : withSupport(best, scored, ranked, Math.min(limit, 2));
}

/** Adds sentences nearly as good as the best, on the same subject, or on a part of the question that it leaves open. */
function withSupport(best: Scored, scored: readonly Scored[], ranked: readonly Scored[], limit: number): Candidate[] {
  if (isRestatement(best)) return withWhatFollows(best, scored, limit);
  const chosen = [best];
  for (const entry of ranked) {
    if (chosen.length >= limit || entry.score < PARAMETERS.minShareOfBest * best.score) break;
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
      entry.candidate.isHeading
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

/** The best sentence's passage first; inside a passage as printed. */
function inReadingOrder(chosen: readonly Candidate[]): Candidate[] {
  const passages = [...new Set(chosen.map((candidate) => candidate.passage))];
  return chosen.toSorted((a, b) => passages.indexOf(a.passage) - passages.indexOf(b.passage) || a.order - b.order);
}
