import { bullLua, bullScripts } from '../bull/lua-functions.ts';
import { prefixLua } from './shared.ts';
import { script } from './script.ts';

const { addPrioritizedJob } = bullScripts;
const first = 2 + addPrioritizedJob.keys;

/**
 * Adds jobs to one queue, each by BullMQ's own script.
 *
 * ARGV: 1 prefix, 2.. the keys of BullMQ's script, then for each job the three arguments of it. Replies what BullMQ's does for each.
 */
export const addScript = script(`
${prefixLua}${bullLua(addPrioritizedJob)}
local keys = {unpack(ARGV, 2, ${first - 1})}
local replies = {}
for i = ${first}, #ARGV, 3 do
  replies[#replies + 1] = addPrioritizedJob(keys, {ARGV[i], ARGV[i + 1], ARGV[i + 2]})
end
return replies
`);
