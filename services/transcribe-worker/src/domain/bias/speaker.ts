import type { Recording } from '../recording.ts';

/** As much of a recording as the choice of its language model depends on. */
export type Speaker = Pick<Recording, 'userId' | 'signal'> & {
  readonly memory: Pick<Recording['memory'], 'waits'>;
  readonly source: Pick<Recording['source'], 'language_code'>;
};
