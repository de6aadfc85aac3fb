import { agedPriority, bands } from '../bands.ts';
import { script } from './script.ts';
import { bandsLua, prefixLua } from './shared.ts';

const fronts = Object.entries(agedPriority)
  .map(([name, priority]) => `${name} = ${priority}`)
  .join(', ');

/**
 * Moves work of the lower classes that waited too long to the very front of its queue, oldest turns first. Never more of a
 * class than so many lie at the front: new work goes on, too. Looks at the heads of the bands: these are the next of each user.
 *
 * ARGV: 1 prefix, 2 queue, 3 admitted before (ms), 4 at most. Replies how many were moved.
 */
export const ageScript = script(`
${prefixLua}${bandsLua(bands)}
local queue, before, most = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local zset = P .. ':' .. queue .. ':prioritized'
local counter = P .. ':' .. queue .. ':pc'
local moved = 0
local function score(priority) return string.format('%.0f', priority * 4294967296) end
for class, front in pairs({${fronts}}) do
  local places = most - call('ZCOUNT', zset, score(front), '(' .. score(front + 1))
  local base, width = bandOf(class)
  local heads = call('ZRANGEBYSCORE', zset, score(base), '(' .. score(base + width), 'LIMIT', 0, 500)
  for _, id in ipairs(heads) do
    if places <= 0 then break end
    local jobKey = P .. ':' .. queue .. ':' .. id
    local admitted = tonumber(call('HGET', jobKey, 'timestamp') or before)
    if admitted < before then
      local n = call('INCR', counter) % 4294967296
      call('ZADD', zset, string.format('%.0f', front * 4294967296 + n), id)
      call('HSET', jobKey, 'priority', front)
      moved = moved + 1
      places = places - 1
    end
  end
end
return moved
`);
