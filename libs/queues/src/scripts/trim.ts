import { script } from './script.ts';
import { prefixLua } from './shared.ts';

/**
 * Removes the oldest completed jobs of a queue beyond those that are kept, some hundreds at a time.
 *
 * ARGV: 1 prefix, 2 queue, 3 how many are kept, 4 most removed. Replies how many were removed.
 */
export const trimScript = script(`
${prefixLua}
local Q = P .. ':' .. ARGV[2] .. ':'
local over = math.min(call('ZCARD', Q .. 'completed') - tonumber(ARGV[3]), tonumber(ARGV[4]))
if over <= 0 then return 0 end
local keys = call('ZRANGE', Q .. 'completed', 0, over - 1)
for i, id in ipairs(keys) do keys[i] = Q .. id end
call('UNLINK', unpack(keys))
call('ZREMRANGEBYRANK', Q .. 'completed', 0, over - 1)
return over
`);
