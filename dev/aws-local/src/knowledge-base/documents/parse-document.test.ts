import { expect, test } from '@jest/globals';
import { strToU8, zipSync } from 'fflate';
import PDFDocument from 'pdfkit';
import { ESPRESSO_PAGES } from '../testing/espresso-manual.ts';
import type { Page } from '../types.ts';
import { parseDocument } from './parse-document.ts';
import { parseInWorker } from './parse-in-worker.ts';

const textOf = ({ sentences }: Page): string => sentences.join(' ');

type Pdf = InstanceType<typeof PDFDocument>;

async function pdf(write: (document: Pdf) => void, options: PDFKit.PDFDocumentOptions = {}): Promise<Buffer> {
  const document = new PDFDocument({ autoFirstPage: false, ...options });
  const chunks: Buffer[] = [];
  document.on('data', (chunk: Buffer) => chunks.push(chunk));
  const ended = new Promise((resolve) => document.on('end', resolve));
  write(document);
  document.end();
  await ended;
  return Buffer.concat(chunks);
}

/** As manuals are made: a running header, a chapter heading, body text, a page number. */
function writeManual(document: Pdf, pages: number): void {
  for (let number = 1; number <= pages; number += 1) {
    const [heading = '', ...body] = (ESPRESSO_PAGES[number % ESPRESSO_PAGES.length] ?? '').split('. ');
    document.addPage();
    document.fontSize(9).text('Brisa 300 Owner Manual');
    document.fontSize(20).text(heading);
    document.fontSize(11).text(`${body.join('. ')} Marker M${number}.`);
    document.fontSize(9).text(`English ${number}`, 72, 700);
  }
}

test('a PDF of 120 pages keeps its pages, tells headings from text and leaves out running lines', async () => {
  const bytes = await pdf((document) => writeManual(document, 120));
  const { paged, pages } = await parseInWorker(bytes, 'manual.pdf', 60_000);
  expect(paged).toBe(true);
  expect(pages.map(({ number }) => number)).toEqual(Array.from({ length: 120 }, (_, index) => index + 1));
  for (const page of pages) {
    expect(textOf(page)).toContain(`Marker M${page.number}.`);
    expect(textOf(page)).not.toMatch(/Owner Manual|English \d/);
  }
  expect(pages[6]).toMatchObject({ headings: ['Descaling'] });
  expect(pages[6]?.sentences[0]).toBe('Descaling');
  expect(pages[6]?.sentences[1]).toBe('Limescale shortens the life of the heater.');
});

test('empty pages of a PDF count', async () => {
  const bytes = await pdf((document) => {
    document.addPage();
    document.addPage().text('Second page.');
  });
  expect((await parseDocument(bytes, 'a.pdf')).pages).toMatchObject([{ number: 2, sentences: ['Second page.'] }]);
});

test('a word broken at the end of a line is joined', async () => {
  const bytes = await pdf((document) => document.addPage().text('Clean the porta-\nfilter every day.'));
  expect((await parseDocument(bytes, 'a.pdf')).pages.map(textOf)).toEqual(['Clean the portafilter every day.']);
});

test('says what is wrong with a PDF', async () => {
  const locked = await pdf((document) => document.addPage().text('Secret'), { userPassword: 'secret' });
  await expect(parseDocument(locked, 'a.pdf')).rejects.toThrow(/encrypted/);
  const scan = await pdf((document) => document.addPage().rect(10, 10, 50, 50).fill());
  await expect(parseDocument(scan, 'a.pdf')).rejects.toThrow(/no text/);
  await expect(parseDocument(scan.subarray(0, 200), 'a.pdf')).rejects.toThrow(/no readable PDF/);
});

test('a document that takes too long is given up', async () => {
  const bytes = await pdf((document) => writeManual(document, 30));
  await expect(parseInWorker(bytes, 'a.pdf', 1)).rejects.toThrow('The document could not be read within 1 ms.');
});

test('a form feed in plain text ends a page, and pages may be empty', async () => {
  const { paged, pages } = await parseDocument(strToU8('\f\fThird page.\f\fFifth page. Its end.'), 'a.txt');
  expect(paged).toBe(true);
  expect(pages).toMatchObject([
    { number: 3, sentences: ['Third page.'] },
    { number: 5, sentences: ['Fifth page.', 'Its end.'] },
  ]);
});

test('Markdown without pages is cut at its headings', async () => {
  const section = (name: string): string => `## ${name}\n\n${`The ${name} needs care. `.repeat(20)}\n\n`;
  const source = `# Manual\n\n${section('filter')}${section('door')}`;
  const { paged, pages } = await parseDocument(strToU8(source), 'a.md');
  expect(paged).toBe(false);
  expect(pages.map(({ headings }) => headings)).toEqual([['Manual', 'filter'], ['door']]);
});

test('HTML shows what a reader sees', async () => {
  const source = `<!doctype html><html><head><title>Dryer &amp; Co</title><style>p{}</style></head><body><script>alert(1)</script>
    <h1>Lint <b>filter</b></h1><p>Clean it<br>after each load &#8211; really.</p><ul><li>Open</li><li>Close</li></ul></body></html>`;
  const { paged, pages } = await parseDocument(strToU8(source), 'page');
  expect(paged).toBe(false);
  expect(pages).toMatchObject([{ headings: ['Dryer & Co', 'Lint filter'] }]);
  expect(pages.map(textOf).join(' ')).toBe('Dryer & Co Lint filter Clean it after each load – really. Open Close');
});

function docx(body: string): Uint8Array {
  return zipSync({ 'word/document.xml': strToU8(`<w:document><w:body>${body}</w:body></w:document>`) });
}
const paragraph = (text: string, style = ''): string => {
  return `<w:p><w:pPr>${style}</w:pPr><w:r><w:t xml:space="preserve">${text}</w:t></w:r></w:p>`;
};

test('a Word document has pages where it breaks them', async () => {
  const heading = '<w:pStyle w:val="Heading1"/>';
  const broken = docx(
    `${paragraph('Safety', heading)}${paragraph('Salt &amp; water.')}<w:p><w:r><w:br w:type="page"/><w:t>Next page.</w:t></w:r></w:p>`,
  );
  expect(await parseDocument(broken, 'a.docx')).toMatchObject({
    paged: true,
    pages: [
      { number: 1, headings: ['Safety'], sentences: ['Safety', 'Salt & water.'] },
      { number: 2, sentences: ['Next page.'] },
    ],
  });
  expect(await parseDocument(docx(paragraph('One page.')), 'a.docx')).toMatchObject({ paged: false });
  await expect(parseDocument(zipSync({ 'a.txt': strToU8('x') }), 'a.docx')).rejects.toThrow(/no Word document/);
  await expect(parseDocument(strToU8('PK\u0003\u0004 damaged'), 'a.docx')).rejects.toThrow(/damaged|no Word document/);
});

test('each row of a CSV names its columns', async () => {
  const source = 'part,"order ""no"""\r\n"Filter, fine",A-1\nDoor,\n';
  const { pages } = await parseDocument(strToU8(source), 'a.csv');
  expect(pages.map(textOf)).toEqual(['part: Filter, fine; order "no": A-1. part: Door.']);
});

test('reads older encodings, and refuses what is no text', async () => {
  expect((await parseDocument(Uint8Array.of(0x4d, 0xfc, 0x6c, 0x6c), 'a.txt')).pages.map(textOf)).toEqual(['Müll']);
  expect((await parseDocument(Uint8Array.of(0xff, 0xfe, 0x41, 0x00), 'a.txt')).pages.map(textOf)).toEqual(['A']);
  await expect(parseDocument(Uint8Array.of(1, 0, 2, 0), 'a.txt')).rejects.toThrow(/binary/);
  await expect(parseDocument(new Uint8Array(), 'a.txt')).rejects.toThrow(/no text/);
});

test('a short line above a paragraph is a sentence of its own, even where a page has only a few lines', async () => {
  const text =
    'Pairing a phone\nTurn on Bluetooth on your phone, choose the unit in its list and confirm the six digits on both.\fSecond';
  const { pages } = await parseDocument(Buffer.from(text), 'manual.txt');
  expect(pages[0]?.sentences[0]).toBe('Pairing a phone');
});
