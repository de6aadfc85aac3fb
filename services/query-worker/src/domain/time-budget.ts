/** Milliseconds that each stage of one answer may take, from the start of the job. */
export interface TimeBudget {
  /** For a follow-up's rewriting, at most. */
  rewriteMs(): number;
  retrieveMs(): number;
  generateMs(): number;
}

/** Kept back for what comes after the model: the ladder's own steps, the cache, the ledger. */
const reserveShare = 0.2;
const rewriteShare = 0.1;
const retrieveShare = 0.25;
const leastMs = 200;

/**
 * Divides the job's time limit, so that a slow upstream is given up while there is time left for a lesser answer: with 45 s
 * a question is over within 36 s, and retrieval within 11 s.
 */
export function startBudget(jobLimitMs: number, now: () => number = Date.now): TimeBudget {
  const started = now();
  const left = (until: number): number => Math.max(leastMs, started + until - now());
  return {
    rewriteMs: () => Math.min(jobLimitMs * rewriteShare, left(jobLimitMs * rewriteShare)),
    retrieveMs: () => Math.min(jobLimitMs * retrieveShare, left(jobLimitMs * (1 - reserveShare))),
    generateMs: () => left(jobLimitMs * (1 - reserveShare)),
  };
}
