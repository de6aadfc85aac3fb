import { bands } from '../bands.ts';
import { script } from './script.ts';
import { bandsLua, fairLua, parkingLua, prefixLua, publishLua, releaseLua, settleLua } from './shared.ts';

/**
 * Lua: `finish(user, id, charged, event, tell, how, class)`: the job is terminal in the ledger. Settles its reservation, frees its
 * slot, keeps its view hot for readers and tells the owner. Answers the id of a parked job that got the slot, or false. Run
 * again, as clients do with what got no reply, it changes nothing and tells nobody. Call `finishesDone()` after all of a run.
 * Needs queue, now, lease, viewTtl, streamLength, streamTtl.
 */
export const finishLua = `
local finished = 0

local function finish(user, id, charged, event, tell, how, class)
  settle(user, id, charged == '1')
  if how ~= '0' then
    -- Its use may be counted twice (queued again in the very moment of its end) or not at all (it was free): read it anew.
    if charged == '1' then call('DEL', P .. ':u:' .. user .. ':quota') end
    -- A job that never started got no service: its turn goes back (a parked one gave it back before).
    local parked = call('ZREM', P .. ':parked:' .. queue .. ':' .. user, id)
    if call('ZREM', P .. ':w:' .. queue, id) == 1 and parked == 0 then
      local fairKey = P .. ':fair:' .. queue .. ':' .. class
      local turn = tonumber(call('HGET', fairKey, user)) or 0
      if turn > 0 then call('HSET', fairKey, user, turn - 1) end
    end
  end
  -- A blank behind it: its owner has not been told.
  local view = tell == '1' and event or event .. ' '
  local viewKey = P .. ':u:' .. user .. ':v:' .. id
  local before = call('SET', viewKey, view, 'EX', viewTtl, 'GET')
  if before == event and view ~= event then call('SET', viewKey, event, 'EX', viewTtl) end
  if how == '1' then
    call('ZADD', P .. ':ended', now, id)
  elseif how == '2' then
    call('ZREM', P .. ':ended', id)
  end
  -- The stream only names it: a result lies in Redis once, as the view.
  if tell == '1' and before ~= event then publish(user, event, streamLength, streamTtl, '{"type":"ended","job_id":"' .. id .. '"}') end
  finished = finished + 1
  return release(queue, user, id, lease)
end

local function finishesDone()
  if finished > 0 then call('INCRBY', P .. ':finished:' .. queue, finished) end
end
`;

/** Arguments that each job of a batch has of its own. */
export const finishArguments = 7;

/**
 * For jobs that end without a run that completed them. Those whose run did are finished by `moveScript`.
 *
 * ARGV: 1 prefix, 2 queue, 3 now, 4 end of lease (ms), 5 seconds a view is kept, 6 stream length, 7 stream seconds, then for
 * each job: user, job id, charged (0/1), the event with the job as its owner sees it (JSON), tell the owner (0/1), how it ended
 * (0 its run did, 1 from outside: marked, whichever worker meets it drops it, 2 dropped without a run), class
 *
 * Replies what `finish` answers, for each.
 */
export const finishScript = script(`
${prefixLua}${publishLua}${bandsLua(bands)}${fairLua}${settleLua}${parkingLua}${releaseLua}
local queue, now, lease, viewTtl, streamLength, streamTtl = unpack(ARGV, 2, 7)
${finishLua}
local freed = {}
for i = 8, #ARGV, ${finishArguments} do freed[#freed + 1] = finish(unpack(ARGV, i, i + ${finishArguments - 1})) end
finishesDone()
return freed
`);

/**
 * Frees the slot of a job that is not terminal (it retries or waits for its next step).
 *
 * ARGV: 1 prefix, 2 queue, 3 user, 4 job id, 5 end of lease (ms). Replies like one of `finishScript`.
 */
export const releaseScript = script(`
${prefixLua}${bandsLua(bands)}${fairLua}${parkingLua}${releaseLua}
return release(ARGV[2], ARGV[3], ARGV[4], ARGV[5])
`);
