import { script } from './script.ts';
import { prefixLua } from './shared.ts';

/**
 * A worker's sign of life: renews the slots of its running jobs and learns which of them ended from outside. Of those that
 * Redis has forgotten (it was wiped) it says that they have started, and until when it is sure to run them: the sweeper asks.
 *
 * ARGV: 1 prefix, 2 queue, 3 end of lease (ms), 4 sure until (ms), then for each job: user, id. Replies the ids that ended.
 */
export const beatScript = script(`
${prefixLua}
local ended = {}
for i = 5, #ARGV, 2 do
  call('ZADD', P .. ':act:' .. ARGV[2] .. ':' .. ARGV[i], 'XX', ARGV[3], ARGV[i + 1])
  if call('EXISTS', P .. ':' .. ARGV[2] .. ':' .. ARGV[i + 1]) == 0 then
    call('ZADD', P .. ':alive', ARGV[4], ARGV[i + 1])
  end
  if call('ZSCORE', P .. ':ended', ARGV[i + 1]) then ended[#ended + 1] = ARGV[i + 1] end
end
return ended
`);
