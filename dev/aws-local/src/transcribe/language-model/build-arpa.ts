/** A sentence and how often it counts. */
export interface Weighted {
  readonly words: readonly string[];
  readonly weight: number;
}

const BEGIN = '<s>';
const END = '</s>';
/** Stands for log10(0). */
const NEVER = -99;

interface Counts {
  /** By history, then by next word. The history of a unigram is the empty string. */
  readonly next: Map<string, Map<string, number>>;
}

/**
 * Builds a trigram language model in ARPA format, smoothed after Witten and Bell (1991), interpolated:
 * p(w|h) = (c(hw) + T(h) p(w|h')) / (c(h) + T(h)), where T(h) counts the different words seen after h and h' is h without its first word.
 * Every word of `vocabulary` is known to the model, seen or not.
 */
export function buildArpa(sentences: Iterable<Weighted>, vocabulary: ReadonlySet<string>): string {
  const counts = countGrams(sentences, vocabulary);
  const unigrams = unigramProbabilities(counts, vocabulary);
  const bigrams = interpolate(counts, 1, (_, word) => unigrams.get(word) ?? 0);
  const lower = (history: string, word: string): number => {
    const shorter = history.slice(history.indexOf(' ') + 1);
    const seen = bigrams.get(shorter);
    const direct = seen?.probabilities.get(word);
    return direct ?? (seen?.backoff ?? 1) * (unigrams.get(word) ?? 0);
  };
  const trigrams = interpolate(counts, 2, lower);
  return writeArpa(unigrams, bigrams, trigrams);
}

function countGrams(sentences: Iterable<Weighted>, vocabulary: ReadonlySet<string>): Counts {
  const next = new Map<string, Map<string, number>>();
  const add = (history: string, word: string, weight: number) => {
    const words = next.get(history) ?? new Map<string, number>();
    words.set(word, (words.get(word) ?? 0) + weight);
    next.set(history, words);
  };
  for (const { words, weight } of sentences) {
    // An unknown word breaks the sentence: what stood before it says nothing about what follows.
    for (const run of knownRuns(words, vocabulary)) {
      for (const [at, word] of run.entries()) {
        if (word !== BEGIN) add('', word, weight);
        if (at >= 1) add(run[at - 1] ?? '', word, weight);
        if (at >= 2) add(`${run[at - 2]} ${run[at - 1]}`, word, weight);
      }
    }
  }
  return { next };
}

function knownRuns(words: readonly string[], vocabulary: ReadonlySet<string>): string[][] {
  const runs: string[][] = [[]];
  for (const word of [BEGIN, ...words, END]) {
    if (word === BEGIN || word === END || vocabulary.has(word)) runs.at(-1)?.push(word);
    else runs.push([]);
  }
  return runs;
}

/** Interpolated with the uniform distribution, so that no word of the vocabulary is impossible. */
function unigramProbabilities({ next }: Counts, vocabulary: ReadonlySet<string>): Map<string, number> {
  const seen = next.get('') ?? new Map<string, number>();
  const total = [...seen.values()].reduce((sum, count) => sum + count, 0);
  const types = seen.size;
  const uniform = 1 / (vocabulary.size + 1);
  return new Map(
    [END, ...vocabulary].map((word) => [word, ((seen.get(word) ?? 0) + types * uniform) / (total + types)]),
  );
}

interface Distribution {
  readonly probabilities: Map<string, number>;
  readonly backoff: number;
}

function interpolate(
  { next }: Counts,
  order: 1 | 2,
  lower: (history: string, word: string) => number,
): Map<string, Distribution> {
  const result = new Map<string, Distribution>();
  for (const [history, words] of next) {
    if (history === '' || (order === 2) !== history.includes(' ')) continue;
    const total = [...words.values()].reduce((sum, count) => sum + count, 0);
    const types = words.size;
    result.set(history, {
      probabilities: new Map(
        [...words].map(([word, count]) => [word, (count + types * lower(history, word)) / (total + types)]),
      ),
      backoff: types / (total + types),
    });
  }
  return result;
}

function writeArpa(
  unigrams: ReadonlyMap<string, number>,
  bigrams: ReadonlyMap<string, Distribution>,
  trigrams: ReadonlyMap<string, Distribution>,
): string {
  const log = (probability: number) => (probability <= 0 ? NEVER : Math.log10(probability)).toFixed(4);
  const one = [
    `${NEVER}\t${BEGIN}\t${log(bigrams.get(BEGIN)?.backoff ?? 1)}`,
    ...[...unigrams].map(
      ([word, probability]) => `${log(probability)}\t${word}\t${log(bigrams.get(word)?.backoff ?? 1)}`,
    ),
  ];
  const two = [...bigrams].flatMap(([history, { probabilities }]) =>
    [...probabilities].map(
      ([word, probability]) =>
        `${log(probability)}\t${history} ${word}\t${log(trigrams.get(`${history} ${word}`)?.backoff ?? 1)}`,
    ),
  );
  const three = [...trigrams].flatMap(([history, { probabilities }]) =>
    [...probabilities].map(([word, probability]) => `${log(probability)}\t${history} ${word}`),
  );
  return [
    '\\data\\',
    `ngram 1=${one.length}`,
    `ngram 2=${two.length}`,
    `ngram 3=${three.length}`,
    '',
    '\\1-grams:',
    ...one,
    '',
    '\\2-grams:',
    ...two,
    '',
    '\\3-grams:',
    ...three,
    '',
    '\\end\\',
    '',
  ].join('\n');
}
