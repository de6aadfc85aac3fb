/** What kind of sentence would answer a question. */
export interface QuestionCues {
  /** Asks for a procedure: steps and imperatives answer it, and the steps after the first belong to the answer. */
  readonly procedure: boolean;
  /** What a fitting sentence looks like, if the question's first words tell. */
  readonly fits: RegExp | undefined;
  /** Asks what is not so, or must not be done. */
  readonly negative: boolean;
}

const NEGATION = /\b(?:not|never|cannot|no|without|except|avoid|unable)\b|n[’']t\b/i;

const IMPERATIVE =
  /(?:^|[.:;]\s*|\d[.)]\s*|\b(?:and|then|to|or)\s+)(?:press|select|turn|open|go|set|connect|insert|remove|hold|push|pull|use|choose|navigate|move|click|tap|plug|place|put|fill|rinse|wipe|clean|switch|adjust|attach|check|enter|install|slide|rotate|run|start|stop|unplug|wait|make|add|pour|empty|replace|close|lift|point|download|activate|enable|disable)\b/i;

const CUES: readonly { readonly asks: RegExp; readonly fits: RegExp }[] = [
  {
    asks: /\b(?:how often|how frequently|when (?:should|must|do|to))\b/i,
    fits: /\b(?:every|once|twice|daily|weekly|monthly|yearly|annually|per (?:day|week|month|year)|after each|at least|regularly|hours?|days?|weeks?|months?|years?|if|when|before|after)\b/i,
  },
  {
    asks: /\bhow (?:long|many|much|hot|heavy|big|large|far|high|tall|wide|loud|old)\b|\bwhat (?:temperature|pressure|size|weight|voltage|capacity|time|speed|frequency|distance)\b/i,
    fits: /\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|half|minutes?|hours?|seconds?)\b/i,
  },
  {
    asks: /^\s*(?:and |but |so )?(?:can|could|may|is it|is there|are there|does|do|is|are|will|should|must)\b/i,
    fits: /\b(?:can|cannot|can't|may|not|only|must|should|support(?:s|ed)?|available|possible|allow(?:s|ed)?|if|do not|never|compatible)\b/i,
  },
  {
    asks: /^\s*(?:and |but )?where\b/i,
    fits: /\b(?:in|on|under|at|behind|left|right|top|bottom|rear|front|menu|settings|side|located|go to|press)\b/i,
  },
  {
    asks: /\bwhy\b|\bwhat causes\b|\breason\b/i,
    fits: /\b(?:because|due to|since|if|caused?|when|may|reason|so that|to prevent)\b/i,
  },
  {
    asks: /\bwhat (?:is|are|does|do)\b|\bwhats\b|\bdefine\b|\bpurpose\b|\bfunction of\b/i,
    fits: /\b(?:is|are|means|refers|lets?|allows?|enables?|can|used|provides?|feature|function|automatically)\b/i,
  },
  {
    asks: /\bwhat (?:should|must|can|do|to do|will)\b|\bwhat if\b|\bnot work/i,
    fits: /\b(?:check|make sure|try|contact|if|must|should|reset|restart|replace)\b/i,
  },
];

const PROCEDURE =
  /\bhow (?:to|do|can|could|should|would|does one|is it)\b|\b(?:steps?|procedure|instructions?|process|way|method) (?:to|for|of|on)\b|\bguide me\b|\binstruct\b|\bwhat (?:should|must|do|can) i do\b|\bwhere (?:can|do|to|should|could)\b/i;

export function readCues(question: string): QuestionCues {
  const cue = CUES.find(({ asks }) => asks.test(question));
  const procedure = PROCEDURE.test(question) && !/\bhow (?:often|long|many|much)\b/i.test(question);
  return { procedure, fits: procedure ? IMPERATIVE : cue?.fits, negative: NEGATION.test(question) };
}

export function isNegative(sentence: string): boolean {
  return NEGATION.test(sentence);
}

export function isImperative(sentence: string): boolean {
  return IMPERATIVE.test(sentence);
}

/** A question that asks two things is answered part by part: "What is X and how do I set Y?" */
export function splitQuestion(question: string): string[] {
  const parts = question
    .split(
      /(?:\?\s+|[,;]?\s+and\s+(?:also\s+)?)(?=(?:please\s+|also\s+)?(?:how|what|where|when|why|which|who|can|could|is|are|does|do|explain|should|will)\b)/i,
    )
    .map((part) => part.trim())
    .filter((part) => part !== '');
  return parts.length > 3 ? [question] : parts;
}
