import { bands } from '../bands.ts';
import { script } from './script.ts';
import { bandsLua, prefixLua, publishLua } from './shared.ts';

/** Arguments that each job of a batch has of its own. */
export const startArguments = 9;

/**
 * A worker holds jobs and wants to run them. Decides for each whether it may; at its first start also: takes it off the
 * waiting, moves the virtual time of the fair turn, tells the owner.
 *
 * ARGV: 1 prefix, 2 queue, 3 now, 4 most slots of one user, 5 end of lease (ms), 6 stream length, then for each job: user,
 * job id, class, expires_at, the job's priority, created_at, event for a first start ('' none), taken before (0/1), start as the event says it (ms)
 *
 * Replies one each: {'run', started_at, d, m, dl, ml} | {'ended'} | {'expired'} | {'parked'}
 */
export const startScript = script(`
${prefixLua}${publishLua}${bandsLua(bands)}
local queue, now, most, lease = ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5]
local Q = P .. ':' .. queue .. ':'

-- What the jobs of a batch share is read and written once.
local anyEnded = call('EXISTS', P .. ':ended') == 1
local startedNow = {}
local virtual = {}

local function park(user, id, class, created, started)
  call('SET', P .. ':parking:' .. queue, 1, 'EX', 3600)
  call('ZADD', P .. ':parked:' .. queue .. ':' .. user, created, id)
  call('HSET', Q .. id, 'mcl', class)
  -- It got no service: its turn goes back.
  if not started then
    local fairKey = P .. ':fair:' .. queue .. ':' .. class
    local finish = tonumber(call('HGET', fairKey, user)) or 0
    if finish > 0 then call('HSET', fairKey, user, finish - 1) end
  end
  return {'parked'}
end

local function start(user, id, class, expires, priority, created, event, again, at)
  if anyEnded and call('ZSCORE', P .. ':ended', id) then return {'ended'} end
  local started = false
  if again == '1' then started = call('HGET', Q .. id, 'mst') end
  if not started and tonumber(now) > tonumber(expires) then return {'expired'} end

  local act = P .. ':act:' .. queue .. ':' .. user
  if call('ZADD', act, lease, id) == 1 then
    if call('ZCARD', act) > most then
      -- Slots of killed workers lapse.
      call('ZREMRANGEBYSCORE', act, '-inf', now)
      if call('ZCARD', act) > most then
        call('ZREM', act, id)
        return park(user, id, class, created, started)
      end
    end
    if again == '1' then call('ZREM', P .. ':parked:' .. queue .. ':' .. user, id) end
  end

  if not started then
    started = at
    local base = bandOf(class)
    call('HSET', Q .. id, 'mst', at, 'priority', base)
    startedNow[#startedNow + 1] = id
    local tag = tonumber(priority) - base - 1
    if tag > (virtual[class] or 0) then virtual[class] = tag end
    if event ~= '' then publish(user, event, ARGV[6], '') end
  end
  local q = call('HMGET', P .. ':u:' .. user .. ':quota', 'd', 'm', 'dl', 'ml')
  return {'run', started, q[1], q[2], q[3], q[4]}
end

local verdicts = {}
for i = 7, #ARGV, ${startArguments} do
  verdicts[#verdicts + 1] =
    start(ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3], ARGV[i + 4], ARGV[i + 5], ARGV[i + 6], ARGV[i + 7], ARGV[i + 8])
end
if #startedNow > 0 then call('ZREM', P .. ':w:' .. queue, unpack(startedNow)) end
for class, tag in pairs(virtual) do
  local fairKey = P .. ':fair:' .. queue .. ':' .. class
  local v = call('HGET', fairKey, '#v')
  if (tonumber(v) or 0) < tag then call('HSET', fairKey, '#v', tag) end
end
return verdicts
`);
