/**
 * The ranking's parameters. They were chosen on plateaus: scores hardly move when one of them is changed by half, and
 * the rankers count alike because no weighting of them held from one half of the development questions to the other.
 */
export const PARAMETERS = {
  /** A synonym counts this much of the word itself. */
  synonymWeight: 0.2,
  /** The same when the word itself does not occur at all. */
  substituteWeight: 0.6,
  /** What a manual says instead of a phrase counts this much of the phrase; units and the like this much. */
  phraseWeight: 0.8,
  signWeight: 1,
  /** So much does the word count by which a measure is asked for. */
  measuredWeight: 0.4,
  /** A word of nearly the same form ("notified", "notification") counts this much times its likeness. */
  relativeWeight: 0.4,
  minLikeness: 0.75,
  /** A light verb ("make", "find") counts this much of another word as rare. */
  lightWeight: 0.4,
  /** More concepts than this in a question are cut to the rarest. */
  maxConcepts: 24,
  /** Of single words in the rankers; anything from 0.35 to 0.7 does as well. */
  idfPower: 0.5,
  /** Pages that are looked at closely. */
  candidates: 64,
  /** What a page gains of the average of its neighbours' scores: sections run over page ends. */
  neighbourWeight: 0.04,
  /** The part of vectors in a hybrid score. */
  vectorShare: 0.4,
  weights: {
    sentence: 1,
    sentences2: 1,
    sentences3: 1,
    sentences4: 1,
    slide: 1,
    page: 0.5,
    pairs: 1,
    nearPairs: 1,
    allWords: 1,
    relatives: 1,
    headings: 0.5,
  },
};
