// Makes docs/examples/espresso-machine.pdf from its Markdown, one page for each part between `---` lines.
import { createWriteStream, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import PDFDocument from 'pdfkit';
import { root } from './support/child.ts';

const folder = join(root, 'docs', 'examples');
const pages = readFileSync(join(folder, 'espresso-machine.md'), 'utf8').split(/^---$/m);
// A fixed date, so that the same text gives the same bytes.
const date = new Date('2026-01-01T00:00:00Z');
const pdf = new PDFDocument({
  size: 'A5',
  margin: 42,
  autoFirstPage: false,
  info: { Title: 'Aurora E1 espresso machine', Author: 'Manuel', CreationDate: date, ModDate: date },
});
const file = pdf.pipe(createWriteStream(join(folder, 'espresso-machine.pdf')));
for (const [index, page] of pages.entries()) {
  pdf.addPage();
  for (const block of page.trim().split(/\n\n+/)) {
    if (block.startsWith('# ')) pdf.font('Helvetica-Bold').fontSize(18).text(block.slice(2)).moveDown(0.6);
    else pdf.font('Helvetica').fontSize(11).text(block, { lineGap: 2 }).moveDown(0.7);
  }
  // The foot lies in the margin; written with that margin in force it would open a page of its own.
  pdf.page.margins.bottom = 0;
  pdf.fontSize(9).text(String(index + 1), 42, pdf.page.height - 30, { align: 'center', lineBreak: false });
}
pdf.end();
await finished(file);
process.stdout.write(`${pages.length} pages\n`);
