import type { RetrievedPassage } from '@manuel/aws';
import { sentenceSpans } from './words.ts';

/**
 * Sentences of a manual that talk to the model instead of the reader. The prompt tells the model not to obey them; not showing
 * them is the second lock. Each pattern needs the words of an order and of its addressee, so that "When asked for the PIN,
 * enter it" and "Ignore this message" stay.
 */
const orders: readonly RegExp[] = [
  // ignore all previous instructions, in some languages
  /\b(?:ignore|disregard|forget|override|bypass|overrule|supersede)s?\b.{0,60}\b(?:instructions?|prompts?|rules|guidelines|polic(?:y|ies)|directives?|conversation|everything (?:above|before))\b/i,
  /\b(?:vergiss|ignorier\w*|missachte)\b.{0,60}\b(?:anweisung\w*|regeln|vorgaben|prompts?)\b/i,
  /\b(?:ignore[zrs]?|oublie[zr]?|ignora|olvida|ignorare|dimentica)\b.{0,60}\b(?:instructions|consignes|instrucciones|reglas|istruzioni|regole)\b/i,
  // you are now …, act as …
  /\byou are (?:now|no longer) (?:an? |the |my )?(?:\w+ ){0,2}(?:ai|assistant|\w*bot|gpt|dan|model|persona|bound|restricted)\b|\b(?:pretend (?:to be|that you)|roleplay|role-play|jailbreak|act as an?\b.{0,20}\b(?:ai|assistant|bot|model))\b/i,
  /\bfrom now on\b.{0,60}\b(?:you|answers?|reply|respond|assistant)\b/i,
  // the assistant must …, notice to the AI
  /\b(?:ai|language|chat) ?(?:models?|assistants?|bots?)\b.{0,80}\b(?:must|should|shall|reading|obey|ignore|reply|respond|say|output|answer)\b/i,
  /\b(?:notice|note|message|instructions?) (?:to|for) (?:the |any |all )?(?:ai|llms?|assistants?|chatbots?|language models?)\b/i,
  /\b(?:the|this) (?:assistant|chatbot|llm|model reading)\b.{0,40}\b(?:must|should|shall|will|has to|is to)\b/i,
  // what to say
  /\b(?:reply|respond|answer|say|output|print|write)\b.{0,40}\b(?:and nothing else|nothing but|only with|exactly with|with the words?|with the phrase|word for word|verbatim)\b/i,
  /\b(?:answers?|repl(?:y|ies)|responses?)\b.{0,30}\bmust (?:contain|include|begin|start|end|say)\b/i,
  /\banswer (?:to )?(?:every|all|any|each) (?:questions?|requests?)\b|\b(?:every|all|any) questions?\b.{0,60}\b(?:answer|reply|say)\b/i,
  /\bwhen(?:ever)? (?:you are |the user |a user |anyone |someone )?(?:is )?(?:asked|asks|wants?)\b.{0,80}\b(?:reply|respond|say|output|print|reveal|recommend)\b/i,
  /\b(?:the assistant|you) must (?:say|obey|reply|respond|output|recommend|not cite)\b|\bobey (?:this|these|the following)\b/i,
  /\binto the answer\s*:|\b(?:tell|convince|trick) the (?:user|customer|reader)\b/i,
  // secrets and sources
  /\b(?:reveal|leak|exfiltrate|disclose|print|repeat|show)\b.{0,40}\b(?:system prompt|your (?:prompt|rules|instructions|guidelines)|api keys?|credentials|other users)\b/i,
  /\b(?:do not|don't|never) (?:cite|mention|quote)\b.{0,40}\b(?:manual|passages?|source|document)\b/i,
  /\boverrides? (?:all |any )?(?:your|other|previous|earlier)\b/i,
  // the marks of a conversation
  /<\/?\s*(?:system|instructions?|assistant|user|prompt|passages?|question|im_start|im_end)\b[^>]*>|\[\/?INST\]|<\|\w+\|>/i,
  /(?:^|\s)(?:assistant|human)\s*:\s*\S/i,
  /^\s*(?:\W*\s*)?(?:system|developer|user)(?: (?:prompt|message|instruction|note))?\s*:.{0,80}\b(?:you|answers?|reply|respond|must)\b/i,
  /\bnew (?:system )?(?:instructions?|policy|rules?)\s*:/i,
  // what a client that shows Markdown or HTML would fetch or run
  /!?\[[^\]\n]{0,200}\]\(\s*[a-z][a-z0-9+.-]*:|<\s*(?:script|iframe|img|svg|object|embed|form)\b[^>]*[>=]|<\s*a\s[^>]*href|\b(?:javascript|vbscript|data):\S/i,
];

export const isOrder = (sentence: string): boolean => orders.some((pattern) => pattern.test(sentence));

/**
 * The passage without sentences that give the model orders: what is left, as pieces that each stand in the manual letter for
 * letter. The passage itself where it holds none; nothing where it holds nothing else.
 */
export function withholdOrders(passage: RetrievedPassage): RetrievedPassage[] {
  const { text } = passage;
  const spans = sentenceSpans(text);
  if (!spans.some((span) => isOrder(text.slice(...span)))) return [passage];
  const pieces: RetrievedPassage[] = [];
  let from: number | undefined;
  let to = 0;
  const cut = (): void => {
    if (from !== undefined) pieces.push({ ...passage, text: text.slice(from, to) });
    from = undefined;
  };
  for (const [start, end] of spans) {
    if (isOrder(text.slice(start, end))) {
      cut();
      continue;
    }
    from ??= start;
    to = end;
  }
  cut();
  return pieces;
}
