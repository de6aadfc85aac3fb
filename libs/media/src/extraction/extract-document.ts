import type { ManualFormat } from '@manuel/contracts';
import { decodeText } from './decode-text.ts';
import { extractText } from './extract-text.ts';
import { summarise, type DocumentSummary } from './summarise.ts';

export interface ExtractionOptions {
  readonly maxPages: number;
  /** Answer the text, too. */
  readonly withText: boolean;
}

/** Reads a document whole, in this process. Throws DocumentError when the document is at fault. */
export async function extractDocument(
  bytes: Uint8Array,
  format: ManualFormat,
  { maxPages, withText }: ExtractionOptions,
): Promise<DocumentSummary> {
  switch (format) {
    case 'pdf': {
      // Parsers are loaded where they are needed: a gateway that checks a text loads none.
      const { extractPdf } = await import('./extract-pdf.ts');
      return summarise(await extractPdf(bytes, maxPages), 'utf-8', withText);
    }
    case 'docx': {
      const { extractDocx } = await import('./extract-docx.ts');
      return summarise(extractDocx(bytes, maxPages), 'utf-8', withText);
    }
    case 'html': {
      const { extractHtml } = await import('./extract-html.ts');
      const { text, encoding } = decodeText(bytes);
      return summarise(extractHtml(text), encoding, withText);
    }
    default: {
      const { text, encoding } = decodeText(bytes);
      return summarise(extractText(text, format, maxPages), encoding, withText);
    }
  }
}
