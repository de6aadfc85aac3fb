import { buffer } from 'node:stream/consumers';

export interface PdfOptions {
  /** Text of each page; an empty string is a page with a picture only. */
  readonly pages: readonly string[];
  readonly title?: string;
  /** Needed to open it. */
  readonly password?: string;
}

/** A real PDF: one page for each text, which must fit on it (some 40 lines of 90 characters). */
export async function makePdf({ pages, title, password }: PdfOptions): Promise<Buffer> {
  // Loaded when needed: most test files make no PDF.
  const { default: PDFDocument } = await import('pdfkit');
  const document = new PDFDocument({
    autoFirstPage: false,
    ...(title === undefined ? {} : { info: { Title: title } }),
    ...(password === undefined
      ? {}
      : { userPassword: password, ownerPassword: `${password}-owner`, pdfVersion: '1.7' }),
  });
  for (const text of pages) {
    document.addPage();
    if (text === '') document.rect(100, 100, 200, 200).fill('#336699');
    else document.fontSize(11).text(text);
  }
  document.end();
  return buffer(document);
}
