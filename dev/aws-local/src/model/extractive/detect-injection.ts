/** Sentences that talk to the model instead of the reader. A manual is data: such a sentence is never quoted. */
const PATTERNS: readonly RegExp[] = [
  /\b(?:ignore|disregard|forget|override|bypass|skip)\b.{0,60}\b(?:instructions?|prompts?|rules|guidelines|context|conversation|messages?|directions|everything (?:above|before))\b/i,
  /\b(?:system|developer|hidden|initial|original) (?:prompt|message|instructions?)\b/i,
  /\byou are (?:now |no longer )?(?:an? |the )?(?:\w+ ){0,2}(?:ai|a\.i\.|assistant|language model|llm|chatbot|bot|gpt|claude|dan)\b/i,
  /\b(?:the|this|any|dear|as an?) (?:ai|assistant|language model|llm|chatbot|model reading)\b.{0,40}\b(?:must|should|shall|will|has to|is to|needs to|instructions?|you)\b/i,
  /\b(?:reply|respond|answer|say|output|print|repeat|write)\b.{0,30}\b(?:only|exactly|instead|verbatim|the following|the word|the phrase)\b/i,
  /\b(?:tell|inform|convince|instruct|ask|trick) the (?:user|customer|reader|human)\b/i,
  /\b(?:reveal|leak|exfiltrate|disclose|print|show me|repeat)\b.{0,40}\b(?:prompt|secrets?|api keys?|credentials|other users?|instructions)\b/i,
  /\b(?:new|updated|important|secret|special) (?:system )?instructions?\s*[:!-]/i,
  /\b(?:do not|don't|never) (?:cite|mention|answer|tell|reveal)\b.{0,40}\b(?:user|question|source|manual|passage|page|this)\b/i,
  /\b(?:from now on|pretend (?:to be|that you)|act as|roleplay|role-play|jailbreak)\b/i,
  /<\/?\s*(?:system|instructions?|assistant|user|prompt|im_start|im_end)\b|\[\/?INST\]|<\|/i,
  /^\s*(?:system|assistant|human|user)\s*:/i,
];

export function isInstructionToModel(sentence: string): boolean {
  return PATTERNS.some((pattern) => pattern.test(sentence));
}
