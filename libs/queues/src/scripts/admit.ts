import type { JobClass } from '@manuel/contracts';
import { type Band, bands as allBands } from '../bands.ts';
import { script, type Script } from './script.ts';
import { bandsLua, fairLua, prefixLua } from './shared.ts';

/**
 * All of an admission that must be atomic, in one round trip: idempotency shortcut, cached answer, limits, quota reservation,
 * fair turn. Idempotent by job id: the second run for an id that is open answers its turn again and reserves nothing.
 *
 * ARGV: 1 prefix, 2 queue, 3 user, 4 job id, 5 class, 6 now (ms), 7 day (UTC, yyyy-mm-dd), 8 charged (0/1), 9 enforce limits
 * (0/1), 10 daily limit, 11 monthly limit, 12 most waiting, 13 most waiting of one user, 14 all queues (comma separated),
 * 15 idempotency key ('' none), 16 body digest, 17 seconds it is kept, 18 look it up (0: written only), 19 cache version key
 * ('' none), 20 cache prefix, 21 cache suffix, 22 the id may be open already (0/1)
 *
 * Replies: {'ok', priority, '1' reserved now or '0' before} | {'idem', entry} | {'cached', value} | {'rebuild'} |
 *   {'quota_exceeded', 'day' or 'month', used and reserved, limit} | {'queue_full', waiting, completions a second} |
 *   {'too_many_jobs', the user's waiting, waiting in all, completions a second}
 */
const admitLua = `
local queue, user, id, class, now, day = ARGV[2], ARGV[3], ARGV[4], ARGV[5], tonumber(ARGV[6]), ARGV[7]
local idemKey = ARGV[15]

if idemKey ~= '' and ARGV[18] == '1' then
  local entry = call('GET', idemKey)
  if entry then return {'idem', entry} end
end
local function remember()
  if idemKey ~= '' then
    call('SET', idemKey, ARGV[16] .. '|' .. id .. '|' .. ARGV[6], 'EX', ARGV[17])
  end
end

if ARGV[19] ~= '' then
  local version = call('GET', ARGV[19])
  if version then
    local value = call('GET', ARGV[20] .. version .. ARGV[21])
    if value then
      remember()
      return {'cached', value}
    end
  end
end

local openKey = P .. ':u:' .. user .. ':open'
if ARGV[22] == '1' then
  local entry = call('HGET', openKey, id)
  if entry then return {'ok', string.match(entry, '^[^|]*|%d|(%d+)'), '0'} end
end

local charged = ARGV[8] == '1'
local quotaKey = P .. ':u:' .. user .. ':quota'
local month = string.sub(day, 1, 7)
local daily, monthly
if charged then
  local q = call('HMGET', quotaKey, 'day', 'month', 'd', 'm', 'dl', 'ml')
  if not q[1] then return {'rebuild'} end
  daily, monthly = tonumber(q[3]), tonumber(q[4])
  -- Days only go forward: a gateway whose clock lags must not open yesterday again.
  if day > q[1] then
    daily = 0
    if month > q[2] then monthly = 0 else month = q[2] end
    call('HSET', quotaKey, 'day', day, 'month', month, 'd', 0, 'm', monthly)
    call('EXPIRE', quotaKey, 3024000)
  else
    day = q[1]
  end
  if ARGV[9] == '1' then
    local dailyLimit = tonumber(q[5] or ARGV[10])
    if daily >= dailyLimit then return {'quota_exceeded', 'day', tostring(daily), tostring(dailyLimit)} end
    local monthlyLimit = tonumber(q[6] or ARGV[11])
    if monthly >= monthlyLimit then return {'quota_exceeded', 'month', tostring(monthly), tostring(monthlyLimit)} end
  end
end

if ARGV[9] == '1' then
  local function rate()
    local sum = 0
    for name in string.gmatch(ARGV[14], '[^,]+') do
      sum = sum + tonumber(call('HGET', P .. ':rate:' .. name, 'per_s') or 0)
    end
    return string.format('%.6f', sum)
  end
  local function waitingInAll()
    local sum = 0
    for name in string.gmatch(ARGV[14], '[^,]+') do sum = sum + call('ZCARD', P .. ':w:' .. name) end
    return sum
  end
  -- What was admitted and never reached BullMQ (its gateway died) is no longer waiting.
  local function heal()
    for name in string.gmatch(ARGV[14], '[^,]+') do
      local old = call('ZRANGEBYSCORE', P .. ':w:' .. name, 0, now - 60000, 'LIMIT', 0, 50)
      for _, other in ipairs(old) do
        if call('EXISTS', P .. ':' .. name .. ':' .. other) == 0 then call('ZREM', P .. ':w:' .. name, other) end
      end
    end
  end
  local most = tonumber(ARGV[12])
  if waitingInAll() >= most then
    heal()
    local waiting = waitingInAll()
    if waiting >= most then return {'queue_full', tostring(waiting), rate()} end
  end
  local mostOfUser = tonumber(ARGV[13])
  if call('HLEN', openKey) >= mostOfUser then
    -- Running jobs are open too; only here, near the limit, is it worth telling them apart.
    local waiting = 0
    local entries = call('HGETALL', openKey)
    for i = 1, #entries, 2 do
      local on = string.match(entries[i + 1], '|([^|]*)$')
      if call('ZSCORE', P .. ':w:' .. on, entries[i]) then waiting = waiting + 1 end
    end
    if waiting >= mostOfUser then return {'too_many_jobs', tostring(waiting), tostring(waitingInAll()), rate()} end
  end
end

local priority = fairTurn(queue, class, user)
if charged then call('HSET', quotaKey, 'd', daily + 1, 'm', monthly + 1) end
call('HSET', openKey, id, day .. '|' .. ARGV[8] .. '|' .. priority .. '|' .. queue)
call('ZADD', P .. ':w:' .. queue, now, id)
remember()
return {'ok', tostring(priority), '1'}
`;

export const makeAdmitScript = (bands: Record<JobClass, Band>): Script =>
  script(prefixLua + bandsLua(bands) + fairLua + admitLua);

export const admitScript = makeAdmitScript(allBands);
