import { bands } from '../bands.ts';
import { script } from './script.ts';
import { bandsLua, countersLua, fairLua, prefixLua } from './shared.ts';

/**
 * Gives a durable job a new fair turn, whatever the limits: for a hand-over to another queue and for what Redis forgot.
 * Restores its reservation when that is gone too.
 *
 * ARGV: 1 prefix, 2 queue, 3 user, 4 job id, 5 class, 6 created_at, 7 day of it, 8 charged (0/1). Replies the priority.
 */
export const requeueScript = script(`
${prefixLua}${bandsLua(bands)}${fairLua}${countersLua}
local queue, user, id, class, day = ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[7]
local openKey = P .. ':u:' .. user .. ':open'
if call('HEXISTS', openKey, id) == 0 and ARGV[8] == '1' then
  local quotaKey = P .. ':u:' .. user .. ':quota'
  local q = counters(quotaKey)
  if q and q[1] == day then call('HINCRBY', quotaKey, 'd', 1) end
  if q and q[2] == string.sub(day, 1, 7) then call('HINCRBY', quotaKey, 'm', 1) end
end
local priority = fairTurn(queue, class, user)
call('HSET', openKey, id, day .. '|' .. ARGV[8] .. '|' .. priority .. '|' .. queue)
call('ZADD', P .. ':w:' .. queue, ARGV[6], id)
return priority
`);
