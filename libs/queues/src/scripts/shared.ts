import type { JobClass } from '@manuel/contracts';
import type { Band } from '../bands.ts';

/**
 * Lua functions that several scripts begin with. Numbers near 2^53 are formatted with %.0f: Lua's own conversion would
 * lose digits.
 */
export const prefixLua = `
local P = ARGV[1]
local call = redis.call
`;

/** The bands as a Lua function: class -> base, width. */
export const bandsLua = (bands: Record<JobClass, Band>): string =>
  `local function bandOf(class)\n${Object.entries(bands)
    .map(([name, { base, width }]) => `if class == '${name}' then return ${base}, ${width} end\n`)
    .join('')}end\n`;

/**
 * Appends to the user's capped, short-lived stream and tells whoever is connected, under the same id. Only a job's end renews
 * the stream's time to live (ttl '' leaves it); `kept` is what the stream holds where that is not the event itself.
 */
export const publishLua = `
local function publish(user, json, maxlen, ttl, kept)
  local stream = P .. ':ev:' .. user
  local id = call('XADD', stream, 'MAXLEN', '~', maxlen, '*', 'e', kept or json)
  if ttl ~= '' then call('EXPIRE', stream, ttl) end
  call('PUBLISH', P .. ':ch:' .. user, id .. ' ' .. json)
  return id
end
`;

/**
 * Start-time fair queueing (Goyal, Vin, Cheng 1996): a job's start tag is S = max(v, F[user]) where v is the tag of the job
 * put into service last and F[user] the finish tag of the user's previous one; then F[user] = S + 1. Kept in the hash
 * fair:<queue>:<class> (v under '#v'); forgotten when nothing waits on the queue, so that tags start at 0 again.
 *
 * When tags near the end of the band all of the band is shifted down by v. BullMQ's score is priority * 2^32 + counter.
 */
export const fairLua = `
local function rebase(queue, fairKey, base, width, v)
  local zset = P .. ':' .. queue .. ':prioritized'
  local low = string.format('%.0f', (base + 1) * 4294967296)
  local high = string.format('(%.0f', (base + width) * 4294967296)
  local members = call('ZRANGEBYSCORE', zset, low, high, 'WITHSCORES')
  for i = 1, #members, 2 do
    local priority = math.floor(tonumber(members[i + 1]) / 4294967296)
    local moved = math.max(base + 1, priority - v)
    call('ZINCRBY', zset, string.format('%.0f', (moved - priority) * 4294967296), members[i])
    call('HSET', P .. ':' .. queue .. ':' .. members[i], 'priority', moved)
  end
  local tags = call('HGETALL', fairKey)
  for i = 1, #tags, 2 do
    local tag = tonumber(tags[i + 1]) - v
    if tags[i] == '#v' or tag <= 0 then call('HDEL', fairKey, tags[i]) else call('HSET', fairKey, tags[i], tag) end
  end
end

local function fairTurn(queue, class, user)
  local base, width = bandOf(class)
  local fairKey = P .. ':fair:' .. queue .. ':' .. class
  if call('EXISTS', P .. ':w:' .. queue) == 0 then
    local f = P .. ':fair:' .. queue .. ':'
    call('DEL', f .. 'critical', f .. 'high', f .. 'normal', f .. 'low')
  end
  local known = call('HMGET', fairKey, '#v', user)
  local v = tonumber(known[1]) or 0
  local tag = math.max(v, tonumber(known[2]) or 0)
  if tag > width - 3 and v > 0 then
    rebase(queue, fairKey, base, width, v)
    tag = tag - v
  end
  tag = math.min(tag, width - 3)
  call('HSET', fairKey, user, tag + 1)
  return base + 1 + tag
end
`;

/**
 * A user's counters: {day, month, d, m, dl, ml} with d and m as numbers, or nil unless they are whole. What another version
 * left, or what lost a part, is as good as none: the ledger knows the counts.
 */
export const countersLua = `
local function counters(quotaKey)
  local q = call('HMGET', quotaKey, 'day', 'month', 'd', 'm', 'dl', 'ml')
  q[3], q[4] = tonumber(q[3]), tonumber(q[4])
  if not (q[1] and q[2] and q[3] and q[4]) then return nil end
  if (q[5] and not tonumber(q[5])) or (q[6] and not tonumber(q[6])) then return nil end
  return q
end
`;

/**
 * Takes a job off the user's open jobs. Charged, its reservation becomes use, which changes no number; else it is given
 * back. Does nothing the second time: whoever removes the entry settles it.
 */
export const settleLua = `${countersLua}
local function settle(user, id, charged)
  local openKey = P .. ':u:' .. user .. ':open'
  if charged then
    call('HDEL', openKey, id)
    return
  end
  local entry = call('HGET', openKey, id)
  if not entry then return end
  call('HDEL', openKey, id)
  local day, reserved = string.match(entry, '^([^|]*)|(%d)')
  if reserved ~= '1' then return end
  local quotaKey = P .. ':u:' .. user .. ':quota'
  local q = counters(quotaKey)
  if q and q[1] == day then call('HINCRBY', quotaKey, 'd', -1) end
  if q and q[2] == string.sub(day, 1, 7) then call('HINCRBY', quotaKey, 'm', -1) end
end
`;

/** What `start` and `release` of one run know in common: whether any job is parked (nil: not looked yet). */
export const parkingLua = `
local anyParked
`;

/**
 * Frees the job's slot. The longest parked of the user's jobs gets it at once, with a new turn; its id is returned for the
 * caller to promote with BullMQ (nil: none). A job that holds no slot (never had one, or gave it back before) frees none.
 * Needs `parkingLua`.
 */
export const releaseLua = `
local function release(queue, user, id, lease)
  local act = P .. ':act:' .. queue .. ':' .. user
  if call('ZREM', act, id) == 0 then return false end
  if anyParked == nil then anyParked = call('EXISTS', P .. ':parking:' .. queue) == 1 end
  if not anyParked then return false end
  local parkedKey = P .. ':parked:' .. queue .. ':' .. user
  while true do
    local popped = call('ZPOPMIN', parkedKey)
    if #popped == 0 then return false end
    local jobKey = P .. ':' .. queue .. ':' .. popped[1]
    local known = call('HMGET', jobKey, 'mcl', 'mst')
    if known[1] then
      local priority = bandOf(known[1])
      if not known[2] then priority = fairTurn(queue, known[1], user) end
      call('HSET', jobKey, 'priority', priority)
      call('ZADD', act, lease, popped[1])
      return popped[1]
    end
  end
end
`;
