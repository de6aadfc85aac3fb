import type { Row } from './support/scenario.ts';
import { round } from './support/statistics.ts';

export interface Section {
  readonly name: string;
  readonly title: string;
  readonly rows: readonly Row[];
}

export const ratioOf = (row: Row): number | undefined => (row.base === undefined ? undefined : row.ours / row.base);

/** Whether the aim was reached; undefined where there is none. */
export function reached(row: Row): boolean | undefined {
  const ratio = ratioOf(row);
  if (!row.aim || ratio === undefined) return undefined;
  return row.aim.direction === 'more' ? ratio >= row.aim.ratio : ratio <= row.aim.ratio;
}

const number = (value: number): string => round(value).toLocaleString('en', { maximumFractionDigits: 2 });

function aimText(row: Row): string {
  if (!row.aim) return '';
  return `${row.aim.direction === 'more' ? '≥' : '≤'} ${row.aim.ratio}${reached(row) ? '' : ' (missed)'}`;
}

export function toMarkdown(sections: readonly Section[], machine: string, at: string): string {
  const lines = [
    '# Results',
    '',
    `\`npm run bench\`, ${at}, ${machine}. Ratios are measured side by side in one run.`,
    '',
  ];
  for (const { title, rows } of sections) {
    lines.push(
      `## ${title}`,
      '',
      '| what | ours | base | ratio | aim | base is |',
      '| --- | --: | --: | --: | --- | --- |',
    );
    for (const row of rows) {
      const ratio = ratioOf(row);
      lines.push(
        `| ${row.what} | ${number(row.ours)} ${row.unit} | ${row.base === undefined ? '' : `${number(row.base)} ${row.unit}`} | ${ratio === undefined ? '' : number(ratio)} | ${aimText(row)} | ${row.against ?? ''} |`,
      );
    }
    lines.push('');
  }
  return lines.join('\n');
}

const escape = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

/** Bars of ours and base for every compared row, each pair on its own scale. */
export function toSvg(sections: readonly Section[]): string {
  const pairs = sections.flatMap((section) => section.rows.filter((row) => row.base !== undefined));
  const height = 46 * pairs.length + 40;
  const bars = pairs.flatMap((row, index) => {
    const y = 30 + index * 46;
    const most = Math.max(row.ours, row.base ?? 0);
    const bar = (value: number, top: number, color: string, name: string): string => {
      const width = (value / most) * 300;
      return `<rect x="300" y="${top}" width="${width.toFixed(1)}" height="12" fill="${color}"/><text x="${(306 + width).toFixed(1)}" y="${top + 10}">${name} ${number(value)} ${escape(row.unit)}</text>`;
    };
    return [
      `<text x="290" y="${y + 16}" text-anchor="end">${escape(row.what)}</text>`,
      bar(row.ours, y, '#0b7285', 'ours'),
      bar(row.base ?? 0, y + 16, '#adb5bd', 'base'),
    ];
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="760" height="${height}" font-family="sans-serif" font-size="11">`,
    '<rect width="100%" height="100%" fill="#fff"/>',
    ...bars,
    '</svg>',
    '',
  ].join('\n');
}
