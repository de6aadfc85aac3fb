import { prefixOf } from '../analysis/prefix.ts';
import { isStopStem } from '../analysis/stop-words.ts';
import { stem, words } from '../analysis/tokenize.ts';
import type { IndexedDocument } from '../types.ts';

/**
 * What a search needs to know of one document: its words as numbers, in order, and where each content word occurs.
 * All statistics (frequencies, lengths) are the document's own; a search adds up those of the documents that pass its
 * filter, so that nobody else's documents can change a score.
 */
export interface DocumentIndex {
  readonly document: IndexedDocument;
  /** Stem -> its number in this document. */
  readonly vocabulary: ReadonlyMap<string, number>;
  readonly stems: readonly string[];
  /** By stem number, 1 for a content word and 0 for a stop word. */
  readonly content: Uint8Array;
  /** Every word of the text as the number of its stem. */
  readonly tokens: Uint32Array;
  /** Where each sentence starts in `tokens`, and the end of the last. */
  readonly sentenceStarts: Uint32Array;
  /** The first sentence of each page, and the end of the last. */
  readonly pageStarts: Uint32Array;
  /** The first passage of each page, and the end of the last. */
  readonly passageStarts: Uint32Array;
  /** Content words of each page. */
  readonly pageLengths: Uint32Array;
  /** By stem number, in how many sentences it occurs. */
  readonly frequencies: Uint32Array;
  /** The sentences of stem n, ascending, are `postings` from `postingStarts[n]` to `postingStarts[n + 1]`; stop words have none. */
  readonly postingStarts: Uint32Array;
  readonly postings: Uint32Array;
  readonly contentWords: number;
  /** Stems of the headings of each page. */
  readonly headings: readonly (readonly number[])[];
  /** Content words in headings, and pages that have any. */
  readonly headingWords: number;
  readonly headedPages: number;
  /** Words as written and how often, to correct spelling by. */
  readonly spellings: ReadonlyMap<string, number>;
  /** Stems by their first letters. */
  readonly stemsByPrefix: ReadonlyMap<string, readonly string[]>;
}

export function indexDocument(document: IndexedDocument): DocumentIndex {
  const reader = new VocabularyReader();
  const tokens: number[] = [];
  const sentenceStarts = [0];
  const pageStarts = [0];
  for (const page of document.pages) {
    for (const sentence of page.sentences) {
      reader.read(sentence, tokens);
      sentenceStarts.push(tokens.length);
    }
    pageStarts.push(sentenceStarts.length - 1);
  }
  const headings = document.pages.map((page) => {
    const numbers: number[] = [];
    for (const heading of page.headings) reader.read(heading, numbers);
    return numbers;
  });
  const { vocabulary, stems, spellings } = reader;
  const content = Uint8Array.from(stems, (name) => (isStopStem(name) ? 0 : 1));
  const text = {
    tokens: Uint32Array.from(tokens),
    sentenceStarts: Uint32Array.from(sentenceStarts),
    pageStarts: Uint32Array.from(pageStarts),
  };
  const passageStarts = new Uint32Array(document.pages.length + 1);
  for (const { page } of document.passages) passageStarts[page + 1] = (passageStarts[page + 1] ?? 0) + 1;
  for (let page = 0; page < document.pages.length; page += 1) {
    passageStarts[page + 1] = (passageStarts[page + 1] ?? 0) + (passageStarts[page] ?? 0);
  }
  const headingLengths = headings.map((numbers) => numbers.filter((number) => content[number] === 1).length);
  const headingWords = headingLengths.reduce((sum, length) => sum + length, 0);
  const headedPages = headingLengths.filter((length) => length > 0).length;
  const stemsByPrefix = Map.groupBy(stems, prefixOf);
  return {
    document,
    passageStarts,
    vocabulary,
    stems,
    content,
    ...text,
    headings,
    headingWords,
    headedPages,
    spellings,
    stemsByPrefix,
    ...invert(text, content),
  };
}

class VocabularyReader {
  readonly vocabulary = new Map<string, number>();
  readonly stems: string[] = [];
  readonly spellings = new Map<string, number>();
  readonly #numbers = new Map<string, number>();

  read(text: string, into: number[]): void {
    for (const word of words(text)) {
      this.spellings.set(word, (this.spellings.get(word) ?? 0) + 1);
      into.push(this.#numbers.get(word) ?? this.#add(word));
    }
  }

  #add(word: string): number {
    const stemmed = stem(word);
    let number = this.vocabulary.get(stemmed);
    if (number === undefined) {
      number = this.stems.length;
      this.vocabulary.set(stemmed, number);
      this.stems.push(stemmed);
    }
    this.#numbers.set(word, number);
    return number;
  }
}

type Text = Pick<DocumentIndex, 'tokens' | 'sentenceStarts' | 'pageStarts'>;
type Inverted = Pick<DocumentIndex, 'frequencies' | 'postingStarts' | 'postings' | 'pageLengths' | 'contentWords'>;

function invert({ tokens, sentenceStarts, pageStarts }: Text, content: Uint8Array): Inverted {
  const frequencies = new Uint32Array(content.length);
  forEachOccurrence(tokens, sentenceStarts, content.length, (number) => {
    frequencies[number] = (frequencies[number] ?? 0) + 1;
  });
  const postingStarts = new Uint32Array(content.length + 1);
  for (let number = 0; number < content.length; number += 1) {
    postingStarts[number + 1] = (postingStarts[number] ?? 0) + (content[number] === 1 ? (frequencies[number] ?? 0) : 0);
  }
  const postings = new Uint32Array(postingStarts[content.length] ?? 0);
  const next = postingStarts.slice();
  forEachOccurrence(tokens, sentenceStarts, content.length, (number, sentence) => {
    if (content[number] !== 1) return;
    const at = next[number] ?? 0;
    postings[at] = sentence;
    next[number] = at + 1;
  });
  const pageLengths = new Uint32Array(pageStarts.length - 1);
  let contentWords = 0;
  for (let page = 0; page < pageLengths.length; page += 1) {
    const end = sentenceStarts[pageStarts[page + 1] ?? 0] ?? 0;
    let length = 0;
    for (let at = sentenceStarts[pageStarts[page] ?? 0] ?? 0; at < end; at += 1)
      length += content[tokens[at] ?? 0] ?? 0;
    pageLengths[page] = length;
    contentWords += length;
  }
  return { frequencies, postingStarts, postings, pageLengths, contentWords };
}

/** Calls once for each stem and sentence that holds it. */
function forEachOccurrence(
  tokens: Uint32Array,
  sentenceStarts: Uint32Array,
  stems: number,
  call: (number: number, sentence: number) => void,
): void {
  const lastSeen = new Int32Array(stems).fill(-1);
  for (let sentence = 0; sentence + 1 < sentenceStarts.length; sentence += 1) {
    const end = sentenceStarts[sentence + 1] ?? 0;
    for (let at = sentenceStarts[sentence] ?? 0; at < end; at += 1) {
      const number = tokens[at] ?? 0;
      if (lastSeen[number] === sentence) continue;
      lastSeen[number] = sentence;
      call(number, sentence);
    }
  }
}
