import type { RetrievedPassage } from '@manuel/aws';
import type { PassageView } from '@manuel/contracts';

/** Characters of a passage that its answer keeps, enough to know it again. */
const excerptLength = 300;

export const toPassageViews = (passages: readonly RetrievedPassage[]): PassageView[] =>
  passages.map(({ manual_id, page, score, text }) => ({
    manual_id,
    page,
    score,
    excerpt: text.slice(0, excerptLength),
  }));
