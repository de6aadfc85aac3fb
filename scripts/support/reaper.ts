import { spawn, type ChildProcess } from 'node:child_process';

/**
 * Stops the children when this process is killed without a chance to do it: a shell that reads their ids from a pipe, and
 * sends SIGTERM to those still listed when the pipe ends.
 */
const script = `
list=" "
while read -r op pid; do
  case "$op" in
    +) list="$list$pid " ;;
    -) list=$(printf '%s' "$list" | sed "s/ $pid / /") ;;
  esac
done
for pid in $list; do kill -TERM "$pid" 2>/dev/null; done
`;

let shell: ChildProcess | undefined;

function write(line: string): void {
  if (!shell) {
    shell = spawn('sh', ['-c', script], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
    shell.stdin?.on('error', () => undefined);
    shell.unref();
    // Only the pipe's end matters; it must not keep this process alive.
    if (shell.stdin && 'unref' in shell.stdin && typeof shell.stdin.unref === 'function') shell.stdin.unref();
  }
  shell.stdin?.write(`${line}\n`);
}

let listed = 0;

/** Lists the child until it has exited; the shell goes with the last one. */
export function reapWithUs(child: ChildProcess): void {
  const { pid } = child;
  if (pid === undefined) return;
  listed += 1;
  write(`+ ${pid}`);
  child.once('exit', () => {
    write(`- ${pid}`);
    listed -= 1;
    if (listed === 0) {
      shell?.stdin?.end();
      shell = undefined;
    }
  });
}
