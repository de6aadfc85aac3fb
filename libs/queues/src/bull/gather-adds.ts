import type { Redis } from 'ioredis';
import { addScript } from '../scripts/add.ts';
import { batching } from '../scripts/batch.ts';
import { run, type ScriptArgument } from '../scripts/script.ts';
import { bullScripts } from './lua-functions.ts';
import type { OwnCommand } from './own-backend.ts';

/** BullMQ's `addPrioritizedJob` for one queue: all jobs of one turn of the event loop in one run of a script. */
export function gatherAdds(redis: Redis, prefix: string): OwnCommand {
  const { keys: count } = bullScripts.addPrioritizedJob;
  // They name the queue, so they are the same for each of its jobs.
  let keys: readonly ScriptArgument[] = [];
  const add = batching(run, redis, addScript, prefix, () => keys);
  return (args) => {
    keys = args.slice(0, count);
    return add(args.slice(count));
  };
}
