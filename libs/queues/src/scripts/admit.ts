import type { JobClass } from '@manuel/contracts';
import { type Band, bands as allBands } from '../bands.ts';
import { script, type Script } from './script.ts';
import { bandsLua, countersLua, fairLua, prefixLua } from './shared.ts';

/** Arguments that each job of a batch has of its own. */
export const admitArguments = 13;

/**
 * All of an admission that must be atomic, for any number of jobs in one round trip: idempotency shortcut, cached answer,
 * limits, quota reservation, fair turn. Idempotent by job id: the second run for an id that is open answers its turn again and
 * reserves nothing.
 *
 * ARGV: 1 prefix, 2 now (ms), 3 day (UTC, yyyy-mm-dd), 4 daily limit, 5 monthly limit, 6 most waiting, 7 most waiting of one
 * user, 8 all queues (comma separated), 9 seconds an idempotency key is kept, then for each job: queue, user, job id, class,
 * charged (0/1), enforce limits (0, 1, or 2: and reserve nothing), idempotency key ('' none), body digest, look the key up (0: written only), cache version
 * key ('' none), cache prefix, cache suffix, the id may be open already (0/1)
 *
 * Replies one each: {'ok', priority, '1' reserved now or '0' before} | {'idem', entry} |
 *   {'cached', value, day, month, d, m, dl, ml of the user's quota} | {'rebuild'} |
 *   {'quota_exceeded', 'day' or 'month', used and reserved, limit} | {'queue_full', waiting, completions a second} |
 *   {'too_many_jobs', the user's waiting, waiting in all, completions a second}
 */
const admitLua = `
local now = tonumber(ARGV[2])

local function rate()
  local sum = 0
  for name in string.gmatch(ARGV[8], '[^,]+') do
    sum = sum + (tonumber(call('HGET', P .. ':rate:' .. name, 'per_s')) or 0)
  end
  return string.format('%.6f', sum)
end
local function countWaiting()
  local sum = 0
  for name in string.gmatch(ARGV[8], '[^,]+') do sum = sum + call('ZCARD', P .. ':w:' .. name) end
  return sum
end
-- Counted once for a batch, which adds its own.
local waitingInAll

-- What was admitted and never reached BullMQ (its gateway died) is no longer waiting.
local function heal()
  for name in string.gmatch(ARGV[8], '[^,]+') do
    local old = call('ZRANGEBYSCORE', P .. ':w:' .. name, 0, now - 60000, 'LIMIT', 0, 50)
    for _, other in ipairs(old) do
      if call('EXISTS', P .. ':' .. name .. ':' .. other) == 0 then call('ZREM', P .. ':w:' .. name, other) end
    end
  end
end

local function admit(at)
  local queue, user, id, class = ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
  local charged, enforced = ARGV[at + 4] == '1', ARGV[at + 5] ~= '0'
  local idemKey, versionKey = ARGV[at + 6], ARGV[at + 9]
  local quotaKey = P .. ':u:' .. user .. ':quota'
  local day = ARGV[3]

  if idemKey ~= '' and ARGV[at + 8] == '1' then
    local entry = call('GET', idemKey)
    if entry then return {'idem', entry} end
  end
  local function remember()
    if idemKey ~= '' then
      call('SET', idemKey, ARGV[at + 7] .. '|' .. id .. '|' .. ARGV[2], 'EX', ARGV[9])
    end
  end

  if versionKey ~= '' then
    local version = call('GET', versionKey)
    if version then
      local value = call('GET', ARGV[at + 10] .. version .. ARGV[at + 11])
      if value then
        remember()
        return {'cached', value, unpack(call('HMGET', quotaKey, 'day', 'month', 'd', 'm', 'dl', 'ml'))}
      end
    end
  end

  local openKey = P .. ':u:' .. user .. ':open'
  if ARGV[at + 12] == '1' then
    local entry = call('HGET', openKey, id)
    local turn = entry and string.match(entry, '^[^|]*|%d|(%d+)')
    if turn then return {'ok', turn, '0'} end
  end

  local daily, monthly
  if charged then
    local month = string.sub(day, 1, 7)
    local q = counters(quotaKey)
    if not q then return {'rebuild'} end
    daily, monthly = q[3], q[4]
    -- Days only go forward: a gateway whose clock lags must not open yesterday again.
    if day > q[1] then
      daily = 0
      if month > q[2] then monthly = 0 else month = q[2] end
      call('HSET', quotaKey, 'day', day, 'month', month, 'd', 0, 'm', monthly)
      call('EXPIRE', quotaKey, 3024000)
    else
      day = q[1]
    end
    if enforced then
      local dailyLimit = tonumber(q[5] or ARGV[4])
      if daily >= dailyLimit then return {'quota_exceeded', 'day', tostring(daily), tostring(dailyLimit)} end
      local monthlyLimit = tonumber(q[6] or ARGV[5])
      if monthly >= monthlyLimit then return {'quota_exceeded', 'month', tostring(monthly), tostring(monthlyLimit)} end
    end
  end

  if enforced then
    local most = tonumber(ARGV[6])
    waitingInAll = waitingInAll or countWaiting()
    if waitingInAll >= most then
      heal()
      waitingInAll = countWaiting()
      if waitingInAll >= most then return {'queue_full', tostring(waitingInAll), rate()} end
    end
    local mostOfUser = tonumber(ARGV[7])
    if call('HLEN', openKey) >= mostOfUser then
      -- Running jobs are open too; only here, near the limit, is it worth telling them apart.
      local waiting = 0
      local entries = call('HGETALL', openKey)
      for i = 1, #entries, 2 do
        local on = string.match(entries[i + 1], '|([^|]*)$')
        if on and call('ZSCORE', P .. ':w:' .. on, entries[i]) then waiting = waiting + 1 end
      end
      if waiting >= mostOfUser then return {'too_many_jobs', tostring(waiting), tostring(waitingInAll), rate()} end
    end
  end

  if ARGV[at + 5] == '2' then return {'ok', '0', '0'} end

  local priority = fairTurn(queue, class, user)
  if charged then call('HSET', quotaKey, 'd', daily + 1, 'm', monthly + 1) end
  call('HSET', openKey, id, day .. '|' .. ARGV[at + 4] .. '|' .. priority .. '|' .. queue)
  call('ZADD', P .. ':w:' .. queue, now, id)
  if waitingInAll then waitingInAll = waitingInAll + 1 end
  remember()
  return {'ok', tostring(priority), '1'}
end

local replies = {}
for at = 10, #ARGV, ${admitArguments} do replies[#replies + 1] = admit(at) end
return replies
`;

export const makeAdmitScript = (bands: Record<JobClass, Band>): Script =>
  script(prefixLua + bandsLua(bands) + fairLua + countersLua + admitLua);

export const admitScript = makeAdmitScript(allBands);
