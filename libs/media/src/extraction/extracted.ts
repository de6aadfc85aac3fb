import type { DocumentSummary } from './summarise.ts';

/** What a reader of one format finds. No import of this folder may pull in more than it needs: it runs in a child process. */
export interface Extracted {
  /** The text of each page, in order; a format without pages is one page. */
  readonly pages: readonly string[];
  readonly title?: string;
}

export type DocumentFault =
  | 'document_encrypted'
  | 'document_unreadable'
  | 'document_without_text'
  | 'payload_too_large'
  | 'unsupported_media_type';

/** The document is at fault; the message is for the user and says what to do. */
export class DocumentError extends Error {
  readonly code: DocumentFault;
  constructor(code: DocumentFault, detail: string, options?: ErrorOptions) {
    super(detail, options);
    this.name = 'DocumentError';
    this.code = code;
  }
}

/** What the child process answers, one line on its standard output. */
export type ExtractionAnswer =
  { readonly summary: DocumentSummary } | { readonly fault: DocumentFault; readonly detail: string };

const maxTitleCharacters = 200;

/** A title fit to show, or nothing. */
export function cleanTitle(text: string | undefined): string | undefined {
  const title = (text ?? '').replace(/\s+/g, ' ').trim().slice(0, maxTitleCharacters).toWellFormed();
  return /\p{L}{2}/u.test(title) ? title : undefined;
}

export function tooManyPages(pages: number, maxPages: number): DocumentError {
  return new DocumentError(
    'payload_too_large',
    `The document has ${pages} pages; at most ${maxPages} are allowed. Split it and upload the parts.`,
  );
}
