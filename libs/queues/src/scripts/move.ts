import { bands } from '../bands.ts';
import { bullLua, bullScripts } from '../bull/lua-functions.ts';
import { finishArguments, finishLua } from './finish.ts';
import { script } from './script.ts';
import { bandsLua, fairLua, parkingLua, prefixLua, publishLua, releaseLua, settleLua } from './shared.ts';
import { startLua } from './start.ts';

const { moveToActive, moveToFinished } = bullScripts;

/**
 * What both scripts below begin with.
 *
 * ARGV: 1 prefix, 2 queue, 3 now, 4 end of lease (ms), 5 most slots of one user, 6 stream length, 7 stream seconds, 8 seconds a
 * view is kept, 9 names of the jobs that have a handler here (each between commas)
 */
export const moveCommonArguments = 9;
const commonLua = `
${prefixLua}${publishLua}${bandsLua(bands)}${fairLua}${parkingLua}
local queue, now, lease, most, streamLength = ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5]), ARGV[6]
local streamTtl, viewTtl, handled = ARGV[7], ARGV[8], ARGV[9]
${startLua}
local function whole(number) return string.format('%.0f', number) end

-- Starts the job that BullMQ gave out, in the same breath. False where that is for the worker to find out: it fails the job or
-- leaves it to others.
local function startNext(next)
  if type(next) ~= 'table' or type(next[1]) ~= 'table' then return false end
  local f = {}
  for i = 1, #next[1], 2 do f[next[1][i]] = next[1][i + 1] end
  if f.defa or not string.find(handled, ',' .. tostring(f.name) .. ',', 1, true) then return false end
  local readable, e = pcall(cjson.decode, f.data)
  if not readable or type(e) ~= 'table' or e.id ~= next[2] or type(e.user_id) ~= 'string' then return false end
  if not string.find(e.user_id, '^[%w_-]+$') then return false end
  if type(e.class) ~= 'string' or not bandOf(e.class) or type(e.operation) ~= 'string' then return false end
  if type(e.created_at) ~= 'number' or type(e.expires_at) ~= 'number' then return false end
  local carried = e.carried
  if carried ~= nil then
    if type(carried) ~= 'table' or type(carried.started_at) ~= 'number' then return false end
    carried = whole(carried.started_at)
  end
  local verdict = start({
    user = e.user_id, id = e.id, class = e.class, operation = e.operation, created = whole(e.created_at),
    expires = e.expires_at, priority = f.priority, tries = whole((f.atm or 0) + (f.stc or 0) + 1),
    carried = carried, again = f.ats ~= '1', started = f.mst,
  })
  -- Tells this taking of the job from others.
  return {f.ats, unpack(verdict, 1, 6)}
end
`;

/**
 * A worker takes the next job: BullMQ's `moveToActive`, then the job's start.
 *
 * ARGV: the common ones, then keys and arguments of BullMQ's script. Replies {what BullMQ's does, `{attempts started, what start
 * answers...}` or false, and where it was the last job that is there: when the next delayed one is due (ms), or 0}
 */
export const takeScript = script(`
${commonLua}${bullLua(moveToActive)}
local first = ${moveCommonArguments + 1}
local next = moveToActive(
  {unpack(ARGV, first, first + ${moveToActive.keys - 1})},
  {unpack(ARGV, first + ${moveToActive.keys}, #ARGV)}
)
local verdict = startNext(next)
startsDone()
if type(next[1]) ~= 'table' or call('LLEN', Q .. 'wait') > 0 or call('ZCARD', Q .. 'prioritized') > 0 then
  return {next, verdict}
end
-- BullMQ leaves a marker for others who wait: there is nothing for them.
call('ZREM', Q .. 'marker', '0')
local delayed = call('ZRANGE', Q .. 'delayed', 0, 0, 'WITHSCORES')
return {next, verdict, delayed[2] and math.floor(delayed[2] / 4096) or 0}
`);

/**
 * The same, sent ahead: it runs when the wait for a job that was sent before it is over, which may be seconds later.
 *
 * ARGV: as above, but 3 the worker's clock less its system's (ms), 4 length of a lease (ms), and behind all the job's lock token
 */
export const takeAheadScript = script(`
local token = table.remove(ARGV)
local time = redis.call('TIME')
local at = time[1] * 1000 + math.floor(time[2] / 1000) + tonumber(ARGV[3])
ARGV[3], ARGV[4] = string.format('%.0f', at), string.format('%.0f', at + tonumber(ARGV[4]))
ARGV[#ARGV - 1] = ARGV[3]
local opts = cmsgpack.unpack(ARGV[#ARGV])
opts.token = token
ARGV[#ARGV] = cmsgpack.pack(opts)
${takeScript.lua}
`);

/** Keys of `moveToFinished` that name the job or how it ended; its others are those of the queue. */
export const movedKeys = { first: 10, count: 3 } as const;
const bullArguments = 9;
/** Arguments that each job of a batch has of its own. */
export const moveArguments = movedKeys.count + bullArguments + finishArguments;

/**
 * Jobs of a worker have ended: our `finish` where their run completed them, BullMQ's `moveToFinished`, and the start of the job
 * that it gives out in their place.
 *
 * ARGV: the common ones, the keys of BullMQ's script (those of `movedKeys` empty), then for each job: those keys, the arguments of
 * BullMQ's script, the arguments of `finish` (user '': not to be finished here)
 *
 * Replies for each {what BullMQ's does, id of a parked job that got the slot or false, the verdict on the next job as in `takeScript`}
 */
export const moveScript = script(`
${commonLua}${settleLua}${releaseLua}${finishLua}${bullLua(moveToFinished)}
local replies = {}
local keys = {unpack(ARGV, ${moveCommonArguments + 1}, ${moveCommonArguments + moveToFinished.keys})}
for i = ${moveCommonArguments + moveToFinished.keys + 1}, #ARGV, ${moveArguments} do
  local parked = false
  local own = i + ${movedKeys.count + bullArguments}
  if ARGV[own] ~= '' then parked = finish(unpack(ARGV, own, own + ${finishArguments - 1})) end
  for k = 1, ${movedKeys.count} do keys[${movedKeys.first} + k] = ARGV[i + k - 1] end
  local next = moveToFinished(keys, {unpack(ARGV, i + ${movedKeys.count}, own - 1)})
  replies[#replies + 1] = {next, parked or false, startNext(next)}
end
startsDone()
finishesDone()
return replies
`);
