import { script } from './script.ts';
import { prefixLua } from './shared.ts';

/**
 * What Redis knows of a job: its terminal view while hot, else what BullMQ and the worker wrote into its hash.
 *
 * ARGV: 1 prefix, 2 user, 3 job id, 4 queues it may be on (comma separated, the later one first)
 *
 * Replies {'view', the event that told its end} | {'live', queue, name, data, started_at or nil, progress or nil, tries} |
 *   {'running', started_at, tries} where only its worker still knows of it | nil
 */
export const viewScript = script(`
${prefixLua}
local hot = call('GET', P .. ':u:' .. ARGV[2] .. ':v:' .. ARGV[3])
if hot then return {'view', hot} end
for queue in string.gmatch(ARGV[4], '[^,]+') do
  local f = call('HMGET', P .. ':' .. queue .. ':' .. ARGV[3], 'name', 'data', 'mst', 'mpg', 'atm', 'stc', 'finishedOn', 'mtr')
  if f[1] and not f[7] then
    local running = call('EXISTS', P .. ':' .. queue .. ':' .. ARGV[3] .. ':lock')
    local tries = math.max((f[5] or 0) + (f[6] or 0) + running, tonumber(f[8]) or 0)
    return {'live', queue, f[1], f[2], f[3], f[4], tries}
  end
end
local known = call('GET', P .. ':u:' .. ARGV[2] .. ':r:' .. ARGV[3])
if known then return {'running', string.match(known, '^(%d+)|(%d+)$')} end
return false
`);
