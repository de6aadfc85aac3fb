const PREFIX = 4;

/** The first letters of a stem, by which stems are grouped; related forms share them. */
export function prefixOf(stemmed: string): string {
  return stemmed.slice(0, PREFIX);
}
