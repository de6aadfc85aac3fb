import { Writable } from 'node:stream';

let lines: string[] = [];

function flush(): void {
  if (lines.length === 0) return;
  const text = lines.join('');
  lines = [];
  process.stdout.write(text);
}

let made: Writable | undefined;

/**
 * Standard output for log lines: all lines of one turn of the event loop go out in one call. What is left when the process
 * ends, by whatever way but a kill, goes out then.
 */
export function gatheredOutput(): Writable {
  if (made) return made;
  process.on('exit', flush);
  made = new Writable({
    decodeStrings: false,
    write(line: unknown, _encoding, done) {
      if (lines.push(String(line)) === 1) setImmediate(flush);
      done();
    },
  });
  return made;
}
