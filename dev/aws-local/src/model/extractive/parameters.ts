/** What decides between sentences. Tuned on the questions of one manual by which page the answer cites; held against another half. */
export const PARAMETERS = {
  /** Of what was asked, a word in the heading, the title or a neighbouring sentence counts this much of one in the sentence itself. */
  headingShare: 0.5,
  neighbourShare: 0.35,
  /** Each passage counts this much less than the one ranked before it. */
  rankDiscount: 0.3,
  /** For a sentence of the kind that the question's first words ask for. */
  cueBonus: 0.15,
  /** For each pair of words that stand together in question and sentence, at most two. */
  pairBonus: 0.5,
  /** Below this share of what was asked, a sentence is no answer. */
  minCoverage: 0.55,
  /** A word of the question that none of the passages holds weighs this much of what its rarity would give it. */
  absentShare: 0.8,
  /** A further sentence joins the best one only if it is nearly as good. */
  minShareOfBest: 0.6,
  /** Of how-to questions, what to do goes before where it is done when it scores this much of it. */
  minShareOfStep: 0.6,
  /** A second measure, place or time only if it is as likely meant. */
  minShareOfMeasure: 0.8,
  /** One of another passage only if it is about as good. */
  minShareElsewhere: 0.7,
  /** A sentence this much of whose words are the question's own says nothing new. */
  restatementShare: 0.7,
  /** What the words of the question before count in a follow-up. */
  earlierQuestionWeight: 0.4,
  maxSentences: 4,
  /** Who asks for a measure, a place or a time wants one. */
  maxStrictSentences: 2,
  /** This many everyday words ("change", "switch", "time") that all stand in one sentence make up for a subject. */
  minEverydayTerms: 3,
  /** For a line such as "Ring red: a fault." that is asked for by just that name. */
  labelBonus: 0.6,
  /** Where a question asks for a measure, a place or a time, a sentence that holds one is preferred to others up to this much better. */
  kindShare: 0.35,
  minOwnCoverage: 0.5,
  /** From here on a measure is named, not only of the right kind. */
  namedMeasure: 0.8,
  /** What the asker owns ("my dishwasher") is what the manual is about when this many sentences speak of it. */
  minOwnedSentences: 3,
  /** A section is what was asked for when its heading speaks of this much of the question, and little else. */
  section: {
    minHeadingShare: 0.7,
    minPrecision: 0.5,
    minCoverage: 0.75,
    rankDiscount: 0.3,
    openingRestatementShare: 0.6,
  },
  /** The most that is quoted of a section, of one with numbered steps, and in characters. */
  maxSectionSentences: 6,
  maxNumberedSentences: 10,
  maxSectionCharacters: 720,
};
