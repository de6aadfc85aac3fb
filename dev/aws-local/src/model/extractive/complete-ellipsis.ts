const ELLIPSIS = /^\s*(?:and |but |so |or )?(?:what about |how about )?((?:the|my|its|an?)\s[^?.!]*?)[?.!\s]*$/i;
const OPENS = /^\s*(?:and|but|so|or|what about|how about)\b/i;
/** What is asked of a thing: "How do I clean", "How often should I replace". */
const HOW_TO = /^\s*(?:and |but |so )?(how\b.*?\s)(?:the|my|its|your|an?)\s/i;

/**
 * "And the brew group?" after "How do I clean the steam wand?" asks "How do I clean the brew group?". Undefined for questions
 * that are no such ellipsis: "and the red one?" still needs the words that went before.
 */
export function completeEllipsis(question: string, earlier: string | undefined): string | undefined {
  const thing = OPENS.test(question) ? ELLIPSIS.exec(question)?.[1] : undefined;
  const asked = earlier === undefined ? undefined : HOW_TO.exec(earlier)?.[1];
  if (thing === undefined || asked === undefined || /\bones?\b/i.test(thing)) return undefined;
  return `${asked.slice(0, 1).toUpperCase()}${asked.slice(1)}${thing}?`;
}

/** The questions of a conversation, oldest first, each completed by the one before it where it needs that. */
export function completeAll(questions: readonly string[]): string[] {
  const complete: string[] = [];
  for (const question of questions) complete.push(completeEllipsis(question, complete.at(-1)) ?? question);
  return complete;
}
