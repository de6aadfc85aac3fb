import { ManuelError } from '@manuel/contracts';

/** The manual's owner deleted it while it was being ingested. */
export const deletedMeanwhile = (): ManuelError =>
  new ManuelError('conflict', 'The manual was deleted while it was being ingested.');
