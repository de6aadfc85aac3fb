import { addPrioritizedJob } from 'bullmq/dist/cjs/scripts/addPrioritizedJob-9.js';
import { moveToActive } from 'bullmq/dist/cjs/scripts/moveToActive-11.js';
import { moveToFinished } from 'bullmq/dist/cjs/scripts/moveToFinished-14.js';

/** One of BullMQ's own Lua scripts, by the text that the installed version sends to Redis. */
export interface BullScript {
  readonly name: string;
  readonly content: string;
  /** How many of its arguments are keys. They come first. */
  readonly keys: number;
}

/** The scripts that ours call. Their files bear the number of their keys: another version of BullMQ is noticed at the start. */
export const bullScripts = { addPrioritizedJob, moveToActive, moveToFinished } satisfies Record<string, BullScript>;

/**
 * BullMQ's script as a Lua function of its KEYS and ARGV, named like it. So one run of a script of ours does for many jobs what
 * BullMQ does for one, or goes on with what BullMQ found, in the same breath and without a copy of what BullMQ knows.
 */
export const bullLua = ({ name, content }: BullScript): string =>
  `local function ${name}(KEYS, ARGV)\n${content}\nend\n`;
