import { buildArpa, type Weighted } from './build-arpa.ts';
import { pronounce } from './pronounce.ts';
import { COMMON_WORDS, PLAIN_QUESTIONS, NOUN_FRAMES, VERB_FRAMES } from './question-phrases.ts';
import { questionsFromText } from './questions-from-text.ts';
import { spokenSentences, spokenWords } from './spoken-words.ts';

export interface BiasText {
  readonly phrases: readonly string[];
  readonly texts: readonly string[];
}

export interface BiasModel {
  /** A language model in ARPA format. */
  readonly arpa: string;
  /** The pronunciations of its words, in the decoder's format. */
  readonly dictionary: string;
}

const PHRASE_WEIGHT = 5;
/** More text makes the model slower without making it better. */
const MAX_SENTENCES = 60_000;

/** Makes a language model and dictionary of what a speaker probably talks about. */
export function buildBiasModel(bias: BiasText, pronunciations: ReadonlyMap<string, readonly string[]>): BiasModel {
  const sentences = bias.texts.flatMap((text) => spokenSentences(text)).slice(0, MAX_SENTENCES);
  const phrases = bias.phrases
    .map((phrase) => spokenWords(phrase.replaceAll('-', ' ')))
    .filter((words) => words.length > 0);
  const frames = [...NOUN_FRAMES, ...VERB_FRAMES].flatMap(([before, after]) => [...before, ...after]);
  const wanted = new Set([
    ...COMMON_WORDS,
    ...PLAIN_QUESTIONS.flat(),
    ...frames,
    ...phrases.flat(),
    ...sentences.flat(),
  ]);
  const abbreviations = new Set(
    [...bias.texts, ...bias.phrases]
      .flatMap((text) => text.match(/\b[A-Z]{2,5}\b/g) ?? [])
      .map((word) => word.toLowerCase()),
  );
  const lines: string[] = [];
  const vocabulary = new Set<string>();
  for (const word of wanted) {
    const sounds = pronunciations.get(word) ?? pronounce(word, abbreviations.has(word), pronunciations);
    if (sounds.length === 0) continue;
    vocabulary.add(word);
    sounds.forEach((sound, index) => lines.push(`${word}${index === 0 ? '' : `(${index + 1})`} ${sound}`));
  }
  return { arpa: buildArpa(trainingText(sentences, phrases), vocabulary), dictionary: `${lines.join('\n')}\n` };
}

function* trainingText(sentences: readonly string[][], phrases: readonly string[][]): Generator<Weighted> {
  for (const words of sentences) yield { words, weight: 1 };
  for (const words of phrases) yield { words, weight: PHRASE_WEIGHT };
  yield* questionsFromText([...sentences, ...phrases]);
}
