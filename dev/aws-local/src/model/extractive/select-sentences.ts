import { isImperative, readCues, splitQuestion, type QuestionCues } from './question-cues.ts';
import type { Task } from './read-request.ts';
import { readCandidates, scoreSentences, weighTerms, type Candidate, type Scored } from './score-sentences.ts';
import { isGeneric, questionTerms, words } from './terms.ts';

const MAX_SENTENCES = 4;
/** Below this share of what was asked, a sentence is no answer. */
const MIN_COVERAGE = 0.5;
/** A further sentence joins the best one only if it is nearly as good. */
const MIN_SHARE_OF_BEST = 0.6;
const EARLIER_QUESTION_WEIGHT = 0.4;

/** The sentences that answer the task's question, at most four, in the order they should be read; none when the passages hold no answer. */
export function selectSentences(task: Task): Candidate[] {
  const candidates = readCandidates(task.passages);
  const chosen: Candidate[] = [];
  const parts = splitQuestion(task.question);
  const perPart = Math.max(1, Math.floor(MAX_SENTENCES / parts.length));
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
  const best = ranked.find((entry) => entry.coverage >= MIN_COVERAGE && matchesSubject(entry));
  if (best === undefined) return [];
  return cues.procedure ? withSteps(best, scored, ranked, limit) : withSupport(best, ranked, limit, cues);
}

function matchesSubject(entry: Scored): boolean {
  return [...entry.matched].some((term) => !isGeneric(term));
}

/** Adds the steps that follow a procedure's best sentence on the same page. */
function withSteps(best: Scored, scored: readonly Scored[], ranked: readonly Scored[], limit: number): Candidate[] {
  const chosen = [best.candidate];
  const start = scored.indexOf(best);
  for (const { candidate, score } of scored.slice(start + 1)) {
    if (chosen.length >= limit || candidate.passage !== best.candidate.passage || candidate.isHeading) break;
    const continues = candidate.isItem || isImperative(candidate.text) || score >= MIN_SHARE_OF_BEST * best.score;
    if (!continues || (candidate.heading !== best.candidate.heading && score < MIN_SHARE_OF_BEST * best.score)) break;
    chosen.push(candidate);
  }
  return chosen.length > 1
    ? chosen
    : withSupport(best, ranked, Math.min(limit, 2), { procedure: true, fits: undefined, negative: false });
}

/** Adds sentences nearly as good as the best that say something it does not. */
function withSupport(best: Scored, ranked: readonly Scored[], limit: number, cues: QuestionCues): Candidate[] {
  const chosen = [best];
  for (const entry of ranked) {
    if (chosen.length >= limit || entry.score < MIN_SHARE_OF_BEST * best.score) break;
    if (chosen.some((other) => isSame(other.candidate, entry.candidate))) continue;
    const isNear =
      entry.candidate.passage === best.candidate.passage && Math.abs(entry.candidate.order - best.candidate.order) <= 3;
    const addsTerm = [...entry.matched].some((term) => chosen.every((other) => !other.matched.has(term)));
    if (isNear || addsTerm || cues.fits?.test(entry.candidate.text) === true) chosen.push(entry);
  }
  return chosen.map((entry) => entry.candidate);
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
    if (!weights.has(term)) weights.set(term, weight * EARLIER_QUESTION_WEIGHT);
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
