import type { Redis } from 'ioredis';
import { run, type Script, type ScriptArgument, type ScriptReply } from './script.ts';

/** Jobs in one run of a script: enough to share its cost, few enough not to keep Redis from others. */
const most = 32;

interface Entry {
  readonly args: readonly ScriptArgument[];
  readonly resolve: (reply: ScriptReply) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Runs a script that takes any number of jobs, for all that ask within one turn of the event loop together. A lone job goes
 * out at the end of its turn. `common` gives the arguments that all share. Each gets its own reply; a fault fails all.
 */
export function batching(
  redis: Redis,
  script: Script,
  prefix: string,
  common: () => readonly ScriptArgument[],
): (args: readonly ScriptArgument[]) => Promise<ScriptReply> {
  let waiting: Entry[] = [];

  function flush(): void {
    const batch = waiting;
    waiting = [];
    if (batch.length === 0) return;
    run(redis, script, prefix, [...common(), ...batch.flatMap(({ args }) => args)]).then(
      (replies) => {
        const each = Array.isArray(replies) ? replies : [];
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
      if (waiting.length === 1) process.nextTick(flush);
      else if (waiting.length >= most) flush();
    });
}
