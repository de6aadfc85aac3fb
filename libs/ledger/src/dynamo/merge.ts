/**
 * Merges sorted streams into one sorted stream. `before(a, b)`: a comes first. Streams are read only as far as the
 * reader goes.
 */
export async function* merge<T>(
  streams: readonly AsyncGenerator<T, void>[],
  before: (a: T, b: T) => boolean,
): AsyncGenerator<T, void> {
  const heads = await Promise.all(streams.map(async (stream) => ({ stream, head: await stream.next() })));
  try {
    for (;;) {
      let first: (typeof heads)[number] | undefined;
      for (const one of heads) {
        if (one.head.done) continue;
        if (first === undefined || first.head.done || before(one.head.value, first.head.value)) first = one;
      }
      if (first === undefined || first.head.done) return;
      yield first.head.value;
      first.head = await first.stream.next();
    }
  } finally {
    await Promise.all(streams.map((stream) => stream.return()));
  }
}

/** Items of pages, one by one. */
export async function* flatten<T>(pages: AsyncIterable<T[]>): AsyncGenerator<T, void> {
  for await (const page of pages) yield* page;
}
