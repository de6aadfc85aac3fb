/** `2026-11-20`, UTC. */
export const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

/** First and last key of the month that holds `ms`, UTC. */
export const monthOf = (ms: number): { first: string; last: string } => {
  const month = new Date(ms).toISOString().slice(0, 7);
  return { first: `${month}-01`, last: `${month}-31` };
};
