import { bands } from '../bands.ts';
import { script } from './script.ts';
import { bandsLua, prefixLua, publishLua } from './shared.ts';

/**
 * A worker holds the job and wants to run it. Decides whether it may; at the first start also: takes it off the waiting,
 * moves the virtual time of the fair turn, tells the owner.
 *
 * ARGV: 1 prefix, 2 queue, 3 user, 4 job id, 5 class, 6 now, 7 expires_at, 8 most slots of one user, 9 lease (ms),
 * 10 the job's priority, 11 created_at, 12 event for a first start ('' none), 13 stream length, 14 stream seconds
 *
 * Replies: {'run', started_at, first start (0/1), charged entry or '', du, rd, mu, rm, dl, ml} | {'ended'} | {'expired'} |
 * {'parked'}
 */
export const startScript = script(`
${prefixLua}${bandsLua(bands)}${publishLua}
local queue, user, id, class, now = ARGV[2], ARGV[3], ARGV[4], ARGV[5], tonumber(ARGV[6])
local jobKey = P .. ':' .. queue .. ':' .. id
if call('ZSCORE', P .. ':ended', id) then return {'ended'} end
local started = call('HGET', jobKey, 'mst')
if not started and now > tonumber(ARGV[7]) then return {'expired'} end

local act = P .. ':act:' .. queue .. ':' .. user
if not call('ZSCORE', act, id) then
  local most = tonumber(ARGV[8])
  if call('ZCARD', act) >= most then
    -- Slots of killed workers lapse.
    call('ZREMRANGEBYSCORE', act, '-inf', now)
    if call('ZCARD', act) >= most then
      call('ZADD', P .. ':parked:' .. queue .. ':' .. user, ARGV[11], id)
      call('HSET', jobKey, 'mcl', class)
      -- It got no service: its turn goes back.
      if not started then
        local fairKey = P .. ':fair:' .. queue .. ':' .. class
        local finish = tonumber(call('HGET', fairKey, user) or 0)
        if finish > 0 then call('HSET', fairKey, user, finish - 1) end
      end
      return {'parked'}
    end
  end
  call('ZREM', P .. ':parked:' .. queue .. ':' .. user, id)
end
call('ZADD', act, now + tonumber(ARGV[9]), id)

local first = 0
if not started then
  first = 1
  started = ARGV[6]
  local base = bands[class][1]
  call('HSET', jobKey, 'mst', now, 'priority', base)
  call('ZREM', P .. ':w:' .. queue, id)
  local tag = tonumber(ARGV[10]) - base - 1
  if tag > 0 then
    local fairKey = P .. ':fair:' .. queue .. ':' .. class
    local v = call('HGET', fairKey, '#v')
    if not v or tonumber(v) < tag then call('HSET', fairKey, '#v', tag) end
  end
  if ARGV[12] ~= '' then publish(user, ARGV[12], ARGV[13], ARGV[14]) end
end
local entry = call('HGET', P .. ':u:' .. user .. ':open', id)
local q = call('HMGET', P .. ':u:' .. user .. ':quota', 'du', 'rd', 'mu', 'rm', 'dl', 'ml')
return {'run', started, first, entry or '', q[1], q[2], q[3], q[4], q[5], q[6]}
`);
