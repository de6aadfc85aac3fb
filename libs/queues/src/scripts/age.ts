import { agedPriority, bands } from '../bands.ts';
import { script } from './script.ts';
import { bandsLua, prefixLua } from './shared.ts';

/**
 * Moves work of the lower classes that waited too long to the very front of its queue, oldest turns first, at most so many.
 * Looks at the heads of the bands: these are the next of each user.
 *
 * ARGV: 1 prefix, 2 queue, 3 admitted before (ms), 4 at most. Replies how many were moved.
 */
export const ageScript = script(`
${prefixLua}${bandsLua(bands)}
local queue, before, most = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local zset = P .. ':' .. queue .. ':prioritized'
local counter = P .. ':' .. queue .. ':pc'
local moved = 0
for _, class in ipairs({'low', 'normal'}) do
  local base, width = bandOf(class)
  local low = string.format('%.0f', base * 4294967296)
  local high = string.format('(%.0f', (base + width) * 4294967296)
  local heads = call('ZRANGEBYSCORE', zset, low, high, 'LIMIT', 0, 500)
  for _, id in ipairs(heads) do
    if moved >= most then return moved end
    local jobKey = P .. ':' .. queue .. ':' .. id
    local admitted = tonumber(call('HGET', jobKey, 'timestamp') or before)
    if admitted < before then
      local n = call('INCR', counter) % 4294967296
      call('ZADD', zset, string.format('%.0f', ${agedPriority} * 4294967296 + n), id)
      call('HSET', jobKey, 'priority', ${agedPriority})
      moved = moved + 1
    end
  end
end
return moved
`);
