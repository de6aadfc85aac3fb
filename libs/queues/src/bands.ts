import type { JobClass } from '@manuel/contracts';

/**
 * Classes of service inside BullMQ's priority number (1..2,097,151, lower first). Each class has a band; inside it lies the
 * turn (a start tag of start-time fair queueing): priority = base + 1 + tag. A job that has already started and comes back (a
 * retry, a step) gets the base itself: it goes before all that have not started. The first numbers are for work that waited too
 * long: low before normal, since nothing else keeps low work from starving.
 */
export interface Band {
  readonly base: number;
  /** Tags run from 0 to width - 2; before the end is reached the band is rebased. */
  readonly width: number;
}

export const agedPriority: Partial<Record<JobClass, number>> = { low: 1, normal: 2 };
const width = 524_000;

export const bands: Record<JobClass, Band> = {
  critical: { base: 10, width },
  high: { base: 10 + width, width },
  normal: { base: 10 + 2 * width, width },
  low: { base: 10 + 3 * width, width },
};
