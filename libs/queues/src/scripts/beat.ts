import { script } from './script.ts';
import { prefixLua } from './shared.ts';

/**
 * A worker's sign of life: renews the slots of its running jobs and learns which of them ended from outside. Of those that
 * Redis has forgotten (it was wiped) it says that they have started, and until when it is sure to run them: the sweeper and the
 * owner ask.
 *
 * ARGV: 1 prefix, 2 queue, 3 end of lease (ms), 4 sure until (ms), 5 from now (ms), then for each job: user, id, its first start
 * (ms), tries. Replies the ids that ended.
 */
export const beatScript = script(`
${prefixLua}
local ended = {}
for i = 6, #ARGV, 4 do
  local user, id = ARGV[i], ARGV[i + 1]
  call('ZADD', P .. ':act:' .. ARGV[2] .. ':' .. user, 'XX', ARGV[3], id)
  if call('EXISTS', P .. ':' .. ARGV[2] .. ':' .. id) == 0 then
    call('ZADD', P .. ':alive', ARGV[4], id)
    call('SET', P .. ':u:' .. user .. ':r:' .. id, ARGV[i + 2] .. '|' .. ARGV[i + 3], 'PX', ARGV[5])
  end
  if call('ZSCORE', P .. ':ended', id) then ended[#ended + 1] = id end
end
return ended
`);
