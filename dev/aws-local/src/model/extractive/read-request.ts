import type { ContentBlock, ConverseRequest, Message, SearchResult } from '../wire/converse-shapes.ts';

/** One passage that the request offers as evidence. */
export interface Passage {
  readonly title: string;
  readonly source: string;
  /** The texts of its content blocks; a numbered passage has one. */
  readonly blocks: readonly string[];
  /** How an answer refers to it. */
  readonly reference:
    | { readonly kind: 'search-result'; readonly index: number; readonly citations: boolean }
    | { readonly kind: 'number'; readonly number: number };
}

export interface Task {
  readonly question: string;
  /** Earlier questions of the conversation, oldest first. */
  readonly earlierQuestions: readonly string[];
  readonly passages: readonly Passage[];
}

const NUMBERED = /^\s*\[(\d{1,3})\]\s*(.*)$/;
const QUESTION_TAG = /<question>([\s\S]*?)<\/question>/i;
const SECTION_TAG = /^\s*<\/?(?:passages|question|documents|sources|context)>/i;
const BARE_TAG = /^\s*<\/?(?:passages|documents|sources|context)>\s*$/i;
const QUESTION_LINE = /^\s*(?:user['’]s )?question\s*:\s*/im;

/** Finds the question, the passages and the conversation before it in a request. */
export function readTask(request: ConverseRequest): Task {
  const passages: Passage[] = searchResults(request.messages).map((result, index) => ({
    title: result.title,
    source: result.source,
    blocks: result.content.map((block) => block.text),
    reference: { kind: 'search-result', index, citations: result.citations?.enabled === true },
  }));
  const questions = request.messages
    .filter((message) => message.role === 'user')
    .map((message) => readUserTurn(message));
  const last = questions.at(-1) ?? { question: '', passages: [] };
  // Where the client numbers its passages it sends them with each question; only the last set's numbers are valid.
  if (passages.length === 0) passages.push(...last.passages);
  return { question: last.question, earlierQuestions: questions.slice(0, -1).map((turn) => turn.question), passages };
}

/** All search results of a request, in order: their position is what a citation's `searchResultIndex` counts. */
export function searchResults(messages: readonly Message[]): SearchResult[] {
  return messages.flatMap((message) => message.content).flatMap(resultsInBlock);
}

function resultsInBlock(block: ContentBlock): SearchResult[] {
  if ('searchResult' in block) return [block.searchResult];
  if ('toolResult' in block)
    return block.toolResult.content.flatMap((item) => ('searchResult' in item ? [item.searchResult] : []));
  return [];
}

/** The words of a message, whatever block they are in. */
export function messageText(message: Message): string {
  return message.content
    .map((block) => {
      if ('text' in block) return block.text;
      if ('citationsContent' in block) return block.citationsContent.content.map((item) => item.text).join('');
      return '';
    })
    .filter((text) => text !== '')
    .join('\n\n');
}

function readUserTurn(message: Message): { question: string; passages: Passage[] } {
  const passages: Passage[] = [];
  const rest: string[] = [];
  for (const block of message.content) {
    if (!('text' in block)) continue;
    const read = readNumbered(block.text);
    passages.push(...read.passages);
    if (read.rest.trim() !== '') rest.push(read.rest);
  }
  return { question: findQuestion(rest), passages };
}

/** The marked question; without a mark the last text block is the question. */
function findQuestion(texts: readonly string[]): string {
  const all = texts.join('\n\n');
  const tagged = QUESTION_TAG.exec(all)?.[1];
  if (tagged !== undefined) return tagged.trim();
  const line = QUESTION_LINE.exec(all);
  if (line !== null) return all.slice(line.index + line[0].length).trim();
  return (texts.at(-1) ?? '').trim();
}

/** Reads `[1] title, page N: text` passages; each runs to the next number or to the question. */
function readNumbered(text: string): { passages: Passage[]; rest: string } {
  const passages: { number: number; lines: string[] }[] = [];
  const before: string[] = [];
  const after: string[] = [];
  for (const line of text.split(/\r?\n/)) {
    const start = NUMBERED.exec(line);
    const last = passages.at(-1);
    if (start !== null) passages.push({ number: Number(start[1]), lines: [start[2] ?? ''] });
    else if (last === undefined) before.push(line);
    else if (after.length > 0 || QUESTION_LINE.test(line) || SECTION_TAG.test(line)) after.push(line);
    else last.lines.push(line);
  }
  const last = passages.at(-1);
  const asked = [...before, ...after].some(
    (line) => QUESTION_LINE.test(line) || line.includes('?') || QUESTION_TAG.test(line),
  );
  if (last !== undefined && !asked) after.push(...takeLastParagraph(last.lines));
  const rest = after.some((line) => line.trim() !== '') ? after : before;
  return { passages: passages.map(toPassage), rest: rest.filter((line) => !BARE_TAG.test(line)).join('\n') };
}

/** Without a mark, the question is the paragraph after the last passage. */
function takeLastParagraph(lines: string[]): string[] {
  const gap = lines.findLastIndex(
    (line, index) => line.trim() === '' && lines.slice(index).some((later) => later.trim() !== ''),
  );
  return gap > 0 ? lines.splice(gap) : [];
}

function toPassage({ number, lines }: { number: number; lines: string[] }): Passage {
  const first = lines[0] ?? '';
  // The label ends at the first colon after the page, else at an early colon.
  const label =
    /^(.{0,160}?\b(?:page|p\.|pages)\s*\d+[^:]{0,20}):\s*/i.exec(first) ??
    /^(.{1,160}?\.[a-z]{2,5}|[^:.]{1,80}):\s+/i.exec(first);
  const title = label?.[1] ?? '';
  return {
    title,
    source: title,
    blocks: [[first.slice(label?.[0].length ?? 0), ...lines.slice(1)].join('\n').trim()],
    reference: { kind: 'number', number },
  };
}
