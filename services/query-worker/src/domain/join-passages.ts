import type { ModelPassage, RetrievedPassage } from '@manuel/aws';

/** Neighbouring passages of one page, as one. */
export interface JoinedPassage {
  readonly manual_id: string;
  readonly filename: string;
  readonly blocks: readonly RetrievedPassage[];
}

/** Chunks overlap by design; shorter repeats are chance. */
const leastOverlap = 20;

/** `next` without what `previous` ends with. */
function withoutOverlap(previous: string, next: string): string {
  const longest = Math.min(previous.length, next.length - 1);
  for (let length = longest; length >= leastOverlap; length -= 1) {
    if (previous.endsWith(next.slice(0, length))) return next.slice(length).trimStart();
  }
  return next;
}

/**
 * On the same page; of a format without pages, never. Pages that follow each other stay apart: joined, the best page's
 * passage would stand behind its lesser neighbour, and the model would lose the order of the search.
 */
function areNeighbours(one: RetrievedPassage, next: RetrievedPassage): boolean {
  return one.manual_id === next.manual_id && one.page !== null && one.page === next.page;
}

/**
 * Joins neighbours, so that the model reads what belongs together in the order of the manual. Each stays a block of its own,
 * citable with its page. Groups are ordered by their best passage.
 */
export function joinPassages(passages: readonly RetrievedPassage[]): JoinedPassage[] {
  const rank = new Map(passages.map((passage, index) => [passage, index]));
  const inOrder = [...passages].sort((a, b) => a.manual_id.localeCompare(b.manual_id) || (a.page ?? 0) - (b.page ?? 0));
  const groups: RetrievedPassage[][] = [];
  for (const passage of inOrder) {
    const group = groups.at(-1);
    const last = group?.at(-1);
    if (!group || !last || !areNeighbours(last, passage)) {
      groups.push([passage]);
      continue;
    }
    const text = withoutOverlap(last.text, passage.text);
    const copy = { ...passage, text };
    rank.set(copy, rank.get(passage) ?? 0);
    group.push(copy);
  }
  const best = (group: readonly RetrievedPassage[]): number =>
    Math.min(...group.map((passage) => rank.get(passage) ?? Infinity));
  return groups
    .sort((a, b) => best(a) - best(b))
    .flatMap((blocks) => {
      const [head] = blocks;
      return head ? [{ manual_id: head.manual_id, filename: head.filename, blocks }] : [];
    });
}

function pagesOf({ blocks }: JoinedPassage): string {
  const pages = [...new Set(blocks.map((block) => block.page))].filter((page) => page !== null);
  const [first, last] = [pages[0], pages.at(-1)];
  if (first === undefined || last === undefined) return '';
  return first === last ? `page ${first}` : `pages ${first} to ${last}`;
}

/** As the model gets it. The source bears no key or path of ours, only what a reader could know. */
export function toModelPassage(passage: JoinedPassage): ModelPassage {
  const pages = pagesOf(passage);
  return {
    title: pages === '' ? passage.filename : `${passage.filename}, ${pages}`,
    source: `manual:${passage.manual_id}${pages === '' ? '' : `#${pages.replace('page ', 'page=').replaceAll(' ', '')}`}`,
    blocks: passage.blocks.map((block) => block.text),
  };
}
