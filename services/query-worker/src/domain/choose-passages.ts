import type { RetrievedPassage } from '@manuel/aws';

/** What the best pages say is given whole, so that a procedure does not break off in the middle. */
const wholePages = 2;
/** Asked for fewer passages than this, nobody wants more than those. */
const leastForWholePages = 5;

const pageKey = ({ manual_id, page }: RetrievedPassage): string | undefined =>
  page === null ? undefined : `${manual_id} ${page}`;

/**
 * The passages to answer from, best first: at most `perManual` of each manual, so that one cannot crowd out the rest; places
 * that stay free then go to the next best of whichever manual.
 */
export function choosePassages(
  found: readonly RetrievedPassage[],
  limits: { readonly count: number; readonly perManual: number; readonly minScore: number },
): RetrievedPassage[] {
  const taken = new Map<string, number>();
  const first: RetrievedPassage[] = [];
  const spare: RetrievedPassage[] = [];
  for (const passage of found) {
    if (passage.score < limits.minScore) continue;
    const before = taken.get(passage.manual_id) ?? 0;
    taken.set(passage.manual_id, before + 1);
    (before < limits.perManual ? first : spare).push(passage);
  }
  const chosen = new Set([...first, ...spare].slice(0, limits.count));
  if (limits.count >= leastForWholePages) {
    const best = new Set([...new Set([...chosen].map(pageKey))].slice(0, wholePages));
    for (const passage of [...first, ...spare]) {
      const page = pageKey(passage);
      if (page !== undefined && best.has(page)) chosen.add(passage);
    }
  }
  return found.filter((passage) => chosen.has(passage));
}
