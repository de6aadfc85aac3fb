import type { RetrievedPassage } from '@manuel/aws';
import type { PassageView } from '@manuel/contracts';

/** Where the passages are, without their text: it would make every answer, and every cached one, several times as large. */
export const toPassageViews = (passages: readonly RetrievedPassage[]): PassageView[] =>
  passages.map(({ manual_id, page, score }) => ({ manual_id, page, score: Number(score.toFixed(4)) }));
