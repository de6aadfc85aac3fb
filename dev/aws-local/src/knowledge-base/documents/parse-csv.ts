import { sectionsOf, type Line } from './lines.ts';
import type { ParsedDocument } from './parsed-document.ts';

/** RFC 4180. Each row becomes a line that names its columns, so that a passage can be understood alone. */
export function parseCsv(source: string): ParsedDocument {
  const [header, ...rows] = readRows(source.replace(/^\uFEFF/, ''));
  if (header === undefined) return { paged: false, pages: [] };
  const table = rows.length === 0 ? [header] : rows;
  const lines: Line[] = table.map((row) => ({
    text: rows.length === 0 ? row.join(' ') : describe(header, row),
    heading: false,
  }));
  return { paged: false, pages: sectionsOf(lines) };
}

function describe(header: readonly string[], row: readonly string[]): string {
  const cells = row.map((cell, index) => [header[index]?.trim() ?? '', cell.trim()] as const);
  const named = cells
    .filter(([, cell]) => cell !== '')
    .map(([name, cell]) => (name === '' ? cell : `${name}: ${cell}`));
  return named.length === 0 ? '' : `${named.join('; ')}.`;
}

function readRows(source: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let cell = '';
  let quoted = false;
  const endRow = (): void => {
    row.push(cell);
    if (row.some((value) => value !== '')) rows.push(row);
    row = [];
    cell = '';
  };
  for (let index = 0; index < source.length; index += 1) {
    const character = source[index] ?? '';
    if (quoted) {
      if (character !== '"') cell += character;
      else if (source[index + 1] === '"') {
        cell += '"';
        index += 1;
      } else quoted = false;
    } else if (character === '"' && cell === '') quoted = true;
    else if (character === ',') {
      row.push(cell);
      cell = '';
    } else if (character === '\n') endRow();
    else if (character !== '\r') cell += character;
  }
  endRow();
  return rows;
}
