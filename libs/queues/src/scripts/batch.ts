import type { Redis } from 'ioredis';
import { atEndOfTurn } from '../end-of-turn.ts';
import type { Script, ScriptArgument } from './script.ts';

/** Jobs in one run of a script: enough to share its cost, few enough not to keep Redis from others. */
const most = 25;

interface Entry<Reply> {
  readonly args: readonly ScriptArgument[];
  readonly resolve: (reply: Reply | null) => void;
  readonly reject: (error: unknown) => void;
}

/** Runs a script once with these arguments; see `run` and `runForBytes`. */
type Runner<Reply> = (
  redis: Redis,
  script: Script,
  prefix: string,
  args: readonly ScriptArgument[],
) => Promise<readonly Reply[] | Reply | null>;

/**
 * Runs a script that takes any number of jobs, for all that ask within one turn of the event loop together. A lone job goes
 * out at the end of its turn. `common` gives the arguments that all share. Each gets its own reply; a fault fails all.
 */
export function batching<Reply>(
  runner: Runner<Reply>,
  redis: Redis,
  script: Script,
  prefix: string,
  common: () => readonly ScriptArgument[],
): (args: readonly ScriptArgument[]) => Promise<Reply | null> {
  let waiting: Entry<Reply>[] = [];

  function flush(): void {
    const batch = waiting;
    waiting = [];
    if (batch.length === 0) return;
    const args = [...common()];
    for (const entry of batch) args.push(...entry.args);
    runner(redis, script, prefix, args).then(
      (replies) => {
        const each: readonly Reply[] = Array.isArray(replies) ? replies : [];
        for (const [i, entry] of batch.entries()) entry.resolve(each[i] ?? null);
      },
      (error: unknown) => {
        for (const entry of batch) entry.reject(error);
      },
    );
  }

  return (args) =>
    new Promise((resolve, reject) => {
      waiting.push({ args, resolve, reject });
      if (waiting.length === 1) atEndOfTurn('gather', flush);
      else if (waiting.length >= most) flush();
    });
}
