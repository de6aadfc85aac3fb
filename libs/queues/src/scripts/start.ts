import { bands } from '../bands.ts';
import { script } from './script.ts';
import { bandsLua, parkingLua, prefixLua, publishLua } from './shared.ts';

/**
 * Lua: `start(job)` decides whether a job that a worker holds may run; at its first start also: takes it off the waiting, moves
 * the virtual time of the fair turn, tells the owner. `job`: id, user, class, operation, created, expires (ms), priority, tries
 * (this one included), carried (start of its first half, or nil), again (it was taken before), started (its first start, or nil).
 * Call `startsDone()` after all of a run. Needs queue, now, lease, most, streamLength and `parkingLua`.
 *
 * Answers {'run', started_at, d, m, dl, ml} | {'ended'} | {'expired'} | {'parked'}
 */
export const startLua = `
local Q = P .. ':' .. queue .. ':'

-- What the jobs of a batch share is read and written once.
local anyEnded
local startedNow = {}
local virtual = {}

local function park(job)
  anyParked = true
  call('SET', P .. ':parking:' .. queue, 1, 'EX', 3600)
  call('ZADD', P .. ':parked:' .. queue .. ':' .. job.user, job.created, job.id)
  call('HSET', Q .. job.id, 'mcl', job.class)
  -- It got no service: its turn goes back.
  if not job.started then
    local fairKey = P .. ':fair:' .. queue .. ':' .. job.class
    local finish = tonumber(call('HGET', fairKey, job.user)) or 0
    if finish > 0 then call('HSET', fairKey, job.user, finish - 1) end
  end
  return {'parked'}
end

local function start(job)
  if anyEnded == nil then anyEnded = call('EXISTS', P .. ':ended') == 1 end
  if anyEnded and call('ZSCORE', P .. ':ended', job.id) then return {'ended'} end
  -- The second half of a job has started already: it does not expire, and its owner knows.
  if not job.started and not job.carried and tonumber(now) > tonumber(job.expires) then return {'expired'} end

  local act = P .. ':act:' .. queue .. ':' .. job.user
  if call('ZADD', act, lease, job.id) == 1 then
    if call('ZCARD', act) > most then
      -- Slots of killed workers lapse.
      call('ZREMRANGEBYSCORE', act, '-inf', now)
      if call('ZCARD', act) > most then
        call('ZREM', act, job.id)
        return park(job)
      end
    end
    if job.again then call('ZREM', P .. ':parked:' .. queue .. ':' .. job.user, job.id) end
  end

  -- For readers between two steps of this try.
  if job.tries ~= '1' then call('HSET', Q .. job.id, 'mtr', job.tries) end
  if not job.started then
    local base = bandOf(job.class)
    call('HSET', Q .. job.id, 'mst', now, 'priority', base)
    startedNow[#startedNow + 1] = job.id
    local tag = tonumber(job.priority) - base - 1
    if tag > (virtual[job.class] or 0) then virtual[job.class] = tag end
    if not job.carried then
      -- What the readers make a whole view of.
      publish(job.user, '{"type":"started","job":{"id":"' .. job.id .. '","operation":"' .. job.operation .. '","class":"'
        .. job.class .. '","created_at":' .. job.created .. ',"started_at":' .. now .. ',"attempts":' .. job.tries .. '}}',
        streamLength, '')
    end
  end
  local q = call('HMGET', P .. ':u:' .. job.user .. ':quota', 'd', 'm', 'dl', 'ml')
  return {'run', job.carried or job.started or now, q[1], q[2], q[3], q[4]}
end

local function startsDone()
  if #startedNow > 0 then call('ZREM', P .. ':w:' .. queue, unpack(startedNow)) end
  for class, tag in pairs(virtual) do
    local fairKey = P .. ':fair:' .. queue .. ':' .. class
    local v = call('HGET', fairKey, '#v')
    if (tonumber(v) or 0) < tag then call('HSET', fairKey, '#v', tag) end
  end
end
`;

/** Arguments that each job of a batch has of its own. */
export const startArguments = 10;

/**
 * For jobs that BullMQ handed out by a script of its own (the next one behind a retry). All others are started by `takeScript`
 * and `moveScript`, without a round trip of their own.
 *
 * ARGV: 1 prefix, 2 queue, 3 now, 4 end of lease (ms), 5 most slots of one user, 6 stream length, then for each job: user,
 * job id, class, operation, created_at, expires_at, the job's priority, tries, start of its first half ('' none), taken before (0/1)
 *
 * Replies what `start` answers, for each.
 */
export const startScript = script(`
${prefixLua}${publishLua}${bandsLua(bands)}${parkingLua}
local queue, now, lease, most, streamLength = ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5]), ARGV[6]
${startLua}
local verdicts = {}
for i = 7, #ARGV, ${startArguments} do
  local again = ARGV[i + 9] == '1'
  verdicts[#verdicts + 1] = start({
    user = ARGV[i], id = ARGV[i + 1], class = ARGV[i + 2], operation = ARGV[i + 3], created = ARGV[i + 4],
    expires = ARGV[i + 5], priority = ARGV[i + 6], tries = ARGV[i + 7], carried = ARGV[i + 8] ~= '' and ARGV[i + 8] or nil,
    again = again, started = again and call('HGET', Q .. ARGV[i + 1], 'mst') or nil,
  })
end
startsDone()
return verdicts
`);
