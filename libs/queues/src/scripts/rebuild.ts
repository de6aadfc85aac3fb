import { script } from './script.ts';
import { countersLua, prefixLua } from './shared.ts';

/**
 * Writes a user's counters as the ledger has them, unless another was faster.
 *
 * ARGV: 1 prefix, 2 user, 3 day, 4 used of the day, 5 used of the month, 6 daily limit ('' the default), 7 monthly limit,
 * 8 how many ids follow of jobs that are among the used, these ids, then for each open job: id, day, charged (0/1), queue
 */
export const rebuildScript = script(`
${prefixLua}${countersLua}
local user, day = ARGV[2], ARGV[3]
local quotaKey = P .. ':u:' .. user .. ':quota'
local openKey = P .. ':u:' .. user .. ':open'
if counters(quotaKey) then return 0 end
call('DEL', quotaKey)
local month = string.sub(day, 1, 7)
local jobsFrom = 9 + tonumber(ARGV[8])
local used = {}
for i = 9, jobsFrom - 1 do used[ARGV[i]] = true end
for i = jobsFrom, #ARGV, 4 do
  call('HSETNX', openKey, ARGV[i], ARGV[i + 1] .. '|' .. ARGV[i + 2] .. '|1|' .. ARGV[i + 3])
end
local rd, rm = 0, 0
local entries = call('HGETALL', openKey)
for i = 1, #entries, 2 do
  local on, charged = string.match(entries[i + 1], '^([^|]*)|(%d)')
  if charged == '1' and not used[entries[i]] then
    if on == day then rd = rd + 1 end
    if string.sub(on, 1, 7) == month then rm = rm + 1 end
  end
end
call('HSET', quotaKey, 'day', day, 'month', month, 'd', ARGV[4] + rd, 'm', ARGV[5] + rm)
if ARGV[6] ~= '' then call('HSET', quotaKey, 'dl', ARGV[6]) end
if ARGV[7] ~= '' then call('HSET', quotaKey, 'ml', ARGV[7]) end
call('EXPIRE', quotaKey, 3024000)
return 1
`);
