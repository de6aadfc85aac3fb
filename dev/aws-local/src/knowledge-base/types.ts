/** A metadata attribute as Bedrock stores it. */
export type MetadataValue = string | number | boolean | readonly string[];

export type Metadata = Readonly<Record<string, MetadataValue>>;

/** What Bedrock says of a document; NOT_FOUND is for answers only and never stored. */
export type DocumentStatus =
  | 'PENDING'
  | 'STARTING'
  | 'IN_PROGRESS'
  | 'INDEXED'
  | 'FAILED'
  | 'IGNORED'
  | 'DELETING'
  | 'DELETE_IN_PROGRESS'
  | 'NOT_FOUND';

/** One page of a document as its reader sees it. `number` counts from 1. */
export interface Page {
  readonly number: number;
  /** Set apart as headings, where the format tells (PDF font sizes, `#`, `<h1>`, Word styles). */
  readonly headings: readonly string[];
  /** Joined with single spaces they are the page's text. */
  readonly sentences: readonly string[];
}

/** Some whole sentences of one page, verbatim: sentences `first` up to but not including `end` of `pages[page]`. */
export interface Passage {
  /** Position in `pages`, not the page's number. */
  readonly page: number;
  readonly first: number;
  readonly end: number;
}

/** The searchable text of a document. */
export interface DocumentText {
  /** Formats without pages (HTML, ...) are cut into sections instead, and carry no page number in the results. */
  readonly paged: boolean;
  readonly pages: readonly Page[];
  /** In the order of the text. */
  readonly passages: readonly Passage[];
}

export interface IndexedDocument extends DocumentText {
  /** Stable name of the document, derived from its uri. */
  readonly id: string;
  readonly uri: string;
  readonly metadata: Metadata;
  /** One vector a passage, when an embeddings server is configured and answered at ingestion. */
  readonly vectors?: readonly Float32Array[];
}

/** The passage as it is shown: what ends without a full stop (a heading, an item of a list) keeps its line. */
export function passageText({ pages }: DocumentText, { page, first, end }: Passage): string {
  const sentences = pages[page]?.sentences.slice(first, end) ?? [];
  return sentences.reduce((text, sentence) => {
    if (text === '') return sentence;
    return `${text}${/[.!?:;,]["”’)\]]*$/.test(text) ? ' ' : '\n'}${sentence}`;
  }, '');
}
