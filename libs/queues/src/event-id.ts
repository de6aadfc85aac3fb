/** Redis' stream ids, `<ms>-<n>`: order and clean text. */
const shape = /^\d{1,16}-\d{1,16}$/;

export const isEventId = (text: string): boolean => shape.test(text);

/** Negative when `a` came before `b`. */
export function compareEventIds(a: string, b: string): number {
  const [aMs = '0', aN = '0'] = a.split('-');
  const [bMs = '0', bN = '0'] = b.split('-');
  return Number(aMs) - Number(bMs) || Number(aN) - Number(bN);
}
