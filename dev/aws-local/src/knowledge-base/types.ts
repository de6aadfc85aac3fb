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
  readonly text: string;
  /** Lines set apart as headings, where the format tells (PDF font sizes, `#`, `<h1>`, Word styles). */
  readonly headings: readonly string[];
}

/** A passage never crosses a page and its text is verbatim from the page (white space collapsed). */
export interface Passage {
  readonly page: number;
  readonly text: string;
}

/** A document as it lies on disk and is searched. */
export interface IndexedDocument {
  /** Stable name of the document, derived from its uri. */
  readonly id: string;
  readonly uri: string;
  readonly metadata: Metadata;
  /** Formats without pages (HTML, DOCX without breaks, ...) carry no page number in the results. */
  readonly paged: boolean;
  readonly pages: readonly Page[];
  readonly passages: readonly Passage[];
  /** One vector a passage when an embeddings server is configured and answered. */
  readonly vectors?: readonly Float32Array[];
}
