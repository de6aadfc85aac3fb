import { Writable } from 'node:stream';

/** Milliseconds that a line may wait for others. */
const gatherMs = 10;

let lines: string[] = [];
let timer: NodeJS.Timeout | undefined;

function flush(): void {
  clearTimeout(timer);
  timer = undefined;
  if (lines.length === 0) return;
  const text = lines.join('');
  lines = [];
  process.stdout.write(text);
}

let made: Writable | undefined;

/**
 * Standard output for log lines: those of some milliseconds go out in one call. What is left when the process ends, by whatever
 * way but a kill, goes out then.
 */
export function gatheredOutput(): Writable {
  if (made) return made;
  process.on('exit', flush);
  made = new Writable({
    decodeStrings: false,
    write(line: unknown, _encoding, done) {
      lines.push(String(line));
      timer ??= setTimeout(flush, gatherMs).unref();
      done();
    },
  });
  return made;
}
