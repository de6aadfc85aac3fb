/**
 * Lua over the board's keys; each runs in one round trip, atomically. Times are milliseconds of Redis's own clock, so workers
 * need not agree on theirs. A rate is kept as the microsecond at which the next call is free: turns are evenly spaced, none saved up.
 */
const clock = `
local time = redis.call('TIME')
local now_us = time[1] * 1000000 + time[2]
local now = math.floor(now_us / 1000)
local function wait_for_turn(key, per_second)
  local free = tonumber(redis.call('GET', key) or 0)
  if free > now_us then return math.ceil((free - now_us) / 1000) end
  redis.call('SET', key, string.format('%.0f', now_us + 1000000 / tonumber(per_second)), 'EX', 86400)
  return 0
end
`;

/** KEYS: rate. ARGV: calls a second. Answers 0 for a turn now, else milliseconds to wait and ask again. */
export const turnScript = `${clock} return wait_for_turn(KEYS[1], ARGV[1])`;

/** The same, but the turn is the caller's in any case: milliseconds until it comes. */
export const reserveScript = `${clock}
local free = math.max(now_us, tonumber(redis.call('GET', KEYS[1]) or 0))
redis.call('SET', KEYS[1], string.format('%.0f', free + 1000000 / tonumber(ARGV[1])), 'EX', 86400)
return math.ceil((free - now_us) / 1000)
`;

/**
 * Puts a document into the queue of an operation, fairly: a user's first one goes ahead of another's second.
 * KEYS: queue, other queue, turns, virtual time, since, state, looks. ARGV: uri, user, state, ttl in seconds.
 */
export const requestScript = `${clock}
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('ZREM', KEYS[7], ARGV[1])
redis.call('SET', KEYS[6], ARGV[3], 'EX', ARGV[4])
if redis.call('ZSCORE', KEYS[1], ARGV[1]) then return 0 end
local passed = tonumber(redis.call('GET', KEYS[4]) or 0)
local last = tonumber(redis.call('HGET', KEYS[3], ARGV[2]) or 0)
local turn = math.max(passed, last) + 1
redis.call('HSET', KEYS[3], ARGV[2], turn)
redis.call('EXPIRE', KEYS[3], 86400)
redis.call('ZADD', KEYS[1], turn, ARGV[1])
if redis.call('ZCARD', KEYS[1]) == 1 then redis.call('SET', KEYS[5], now, 'EX', 86400) end
return 1
`;

/**
 * Takes a batch when its window is over or it is full, and the rate allows a call. What is taken is looked at again after the
 * lease, in case its taker dies.
 * KEYS: queue, virtual time, since, rate, looks. ARGV: most, window ms, calls a second, lease ms.
 * Answers {-1} when there is nothing, {ms} to wait, or {0, uri, ...}.
 */
export const takeScript = `${clock}
local size = redis.call('ZCARD', KEYS[1])
if size == 0 then return {-1} end
local opens = tonumber(redis.call('GET', KEYS[3]) or 0) + tonumber(ARGV[2])
if size < tonumber(ARGV[1]) and now < opens then return {opens - now} end
local wait = wait_for_turn(KEYS[4], ARGV[3])
if wait > 0 then return {wait} end
local popped = redis.call('ZPOPMIN', KEYS[1], ARGV[1])
local batch = {0}
for i = 1, #popped, 2 do
  batch[#batch + 1] = popped[i]
  redis.call('ZADD', KEYS[5], now + tonumber(ARGV[4]), popped[i])
end
redis.call('SET', KEYS[2], popped[#popped], 'EX', 86400)
return batch
`;

/**
 * Takes documents whose next look is due.
 * KEYS: looks, rate. ARGV: most, calls a second, lease ms. Answers like takeScript; {ms} also until the next one is due.
 */
export const lookScript = `${clock}
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, ARGV[1])
if #due == 0 then
  local next = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
  if #next == 0 then return {-1} end
  return {math.max(1, tonumber(next[2]) - now)}
end
local wait = wait_for_turn(KEYS[2], ARGV[2])
if wait > 0 then return {wait} end
local batch = {0}
for _, uri in ipairs(due) do
  batch[#batch + 1] = uri
  redis.call('ZADD', KEYS[1], now + tonumber(ARGV[3]), uri)
end
return batch
`;

/**
 * Writes a document's state unless it was asked for anew meanwhile (another token), and plans its next look (-1: none).
 * KEYS: state, looks. ARGV: token, state, ttl in seconds, uri, ms to the next look.
 */
export const settleScript = `${clock}
local current = redis.call('GET', KEYS[1])
if not current or cjson.decode(current).token ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])
if tonumber(ARGV[5]) < 0 then redis.call('ZREM', KEYS[2], ARGV[4])
else redis.call('ZADD', KEYS[2], now + tonumber(ARGV[5]), ARGV[4]) end
return 1
`;
