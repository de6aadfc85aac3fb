/** Numbers from 0 to 1 that are the same every time (Mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Ranks from 0, the k-th 1/(k+1) as often as the first (Zipf's law, as words and questions are distributed). */
export function zipfOf(count: number, random: () => number): () => number {
  const bounds: number[] = [];
  let sum = 0;
  for (let k = 0; k < count; k += 1) bounds.push((sum += 1 / (k + 1)));
  return () => {
    const wanted = random() * sum;
    let [low, high] = [0, count - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((bounds[middle] ?? 0) < wanted) low = middle + 1;
      else high = middle;
    }
    return low;
  };
}
