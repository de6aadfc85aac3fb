import { decodeEntities } from './decode-entities.ts';
import { cleanTitle } from './extracted.ts';
import type { Extracted } from './extracted.ts';

/** Elements whose content no reader sees. */
const hidden = new Set(['script', 'style', 'template', 'noscript', 'svg', 'head', 'title']);
const inline = new Set(['a', 'abbr', 'b', 'code', 'em', 'font', 'i', 'small', 'span', 'strong', 'sub', 'sup', 'u']);

/** The visible text of a page of HTML. One pass from left to right, so that no input makes it slow. */
export function extractHtml(source: string): Extracted {
  // ASCII alone: lowering a letter such as İ would shift every position behind it.
  const lower = source.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
  let text = '';
  let at = 0;
  while (at < source.length) {
    const tag = source.indexOf('<', at);
    if (tag < 0) {
      text += source.slice(at);
      break;
    }
    text += source.slice(at, tag);
    at = afterTag(lower, tag);
    const name = /^<\/?([a-z][a-z0-9]*)/.exec(lower.slice(tag, tag + 40))?.[1] ?? '';
    if (!inline.has(name)) text += '\n';
    if (hidden.has(name) && lower[tag + 1] !== '/') at = afterElement(lower, at, name);
  }
  const lines = decodeEntities(text)
    .split('\n')
    .map((line) => line.replace(/\s+/g, ' ').trim());
  const body = lines.filter((line) => line !== '').join('\n');
  const title = cleanTitle(decodeEntities(between(source, lower, 'title') ?? between(source, lower, 'h1') ?? ''));
  return { pages: [body], ...(title === undefined ? {} : { title }) };
}

/** Behind the tag or comment that begins at `tag`; the end of the text when it is never closed. */
function afterTag(lower: string, tag: number): number {
  const comment = lower.startsWith('<!--', tag);
  const end = comment ? lower.indexOf('-->', tag + 4) : lower.indexOf('>', tag);
  return end < 0 ? lower.length : end + (comment ? 3 : 1);
}

function afterElement(lower: string, from: number, name: string): number {
  const end = lower.indexOf(`</${name}`, from);
  return end < 0 ? lower.length : afterTag(lower, end);
}

function between(source: string, lower: string, name: string): string | undefined {
  const start = lower.indexOf(`<${name}`);
  if (start < 0) return undefined;
  const from = afterTag(lower, start);
  const end = lower.indexOf(`</${name}`, from);
  return end < 0 ? undefined : source.slice(from, Math.min(end, from + 1000)).replace(/<[^>]*>/g, ' ');
}
