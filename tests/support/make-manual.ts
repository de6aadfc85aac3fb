import PDFDocument from 'pdfkit';

const parts =
  'pump valve hinge filter fan belt rotor gasket nozzle spring lever drum hose latch sensor relay cable panel bracket wheel'.split(
    ' ',
  );
const verbs = 'inspect tighten lubricate replace measure align rinse unscrew test adjust'.split(' ');

/** The page (1-based) that says how to do the one thing that tests ask for. */
export const answerPage = 87;
export const question = 'How do I recalibrate the moisture probe?';
export const answerWords = /blue key for seven seconds/;

/** A real PDF of many pages of plausible, all different text, with one page that answers `question`. */
export async function makeManualPdf(pages = 120): Promise<Buffer> {
  const pdf = new PDFDocument({ size: 'A5', margin: 40, autoFirstPage: false });
  const chunks: Buffer[] = [];
  pdf.on('data', (chunk: Buffer) => chunks.push(chunk));
  const ended = new Promise((resolve) => pdf.on('end', resolve));
  for (let page = 1; page <= pages; page += 1) {
    const part = parts[page % parts.length] ?? '';
    const verb = verbs[(page * 7) % verbs.length] ?? '';
    pdf
      .addPage()
      .fontSize(16)
      .text(page === answerPage ? 'Recalibrating the moisture probe' : `${verb} the ${part} ${page}`);
    pdf
      .fontSize(11)
      .text(
        page === answerPage
          ? 'Recalibrate the moisture probe every spring. Wipe the moisture probe dry, then hold the blue key for seven seconds until the display shows CAL.'
          : `To ${verb} the ${part} of section ${page}, switch the dryer off and open cover ${page * 3}. Then ${verb} the ${part} with tool number ${page + 200}. Close cover ${page * 3} again.`,
      );
  }
  pdf.end();
  await ended;
  return Buffer.concat(chunks);
}
