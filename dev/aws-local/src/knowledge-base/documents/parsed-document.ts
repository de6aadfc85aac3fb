import type { Page } from '../types.ts';

/** What a parser gives. `paged` is false where the format knows no pages; `pages` are then sections of readable size. */
export interface ParsedDocument {
  readonly paged: boolean;
  readonly pages: readonly Page[];
}

/** The document cannot be indexed; the message becomes its `statusReason`. */
export class UnreadableDocumentError extends Error {
  override readonly name = 'UnreadableDocumentError';
}
