/** Page furniture stands in the first or last lines of a page ... */
const EDGE_LINES = 2;
/** ... of at least this share of the pages, which left and right pages with different headers still reach. */
const SHARE = 0.4;
const MIN_PAGES = 4;

/** Removes running headers, footers and page numbers: they repeat on every page and would drown each page's own words. */
export function dropRunningLines<T>(pages: readonly (readonly T[])[], textOf: (line: T) => string): T[][] {
  if (pages.length < MIN_PAGES) return pages.map((lines) => [...lines]);
  const seen = new Map<string, number>();
  for (const lines of pages) {
    const keys = new Set(lines.filter((_, index) => isEdge(index, lines.length)).map((line) => keyOf(textOf(line))));
    for (const key of keys) seen.set(key, (seen.get(key) ?? 0) + 1);
  }
  const limit = Math.max(MIN_PAGES, pages.length * SHARE);
  return pages.map((lines) => {
    const kept = lines.filter(
      (line, index) => !isEdge(index, lines.length) || (seen.get(keyOf(textOf(line))) ?? 0) < limit,
    );
    // Pages that are alike from top to bottom hold nothing but what repeats: then it is their text.
    return kept.length === 0 ? [...lines] : kept;
  });
}

function isEdge(index: number, count: number): boolean {
  return index < EDGE_LINES || index >= count - EDGE_LINES;
}

/** Page numbers differ from page to page; the rest of a running line does not. */
function keyOf(text: string): string {
  return text.toLowerCase().replaceAll(/\d+/g, '#').replaceAll(/\s+/g, ' ').trim();
}
