import { bands } from '../bands.ts';
import { script } from './script.ts';
import { bandsLua, fairLua, prefixLua, publishLua, releaseLua, settleLua } from './shared.ts';

/** Arguments that each job of a batch has of its own. */
export const finishArguments = 7;

/**
 * Jobs are terminal in the ledger: settles each one's reservation, frees its slot, counts the completion, keeps its view hot
 * for readers and tells the owner. Safe to run again.
 *
 * ARGV: 1 prefix, 2 queue, 3 now, 4 end of lease (ms), 5 seconds a view is kept, 6 stream length, 7 stream seconds, then for
 * each job: user, job id, charged (0/1), the event with the job as its owner sees it (JSON), tell the owner (0/1), how it ended
 * (0 its run did, 1 from outside: marked, whichever worker meets it drops it, 2 dropped without a run), class
 *
 * Replies one each: the id of a parked job that got the slot, or null.
 */
export const finishScript = script(`
${prefixLua}${publishLua}${bandsLua(bands)}${fairLua}${settleLua}${releaseLua}
local queue = ARGV[2]

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
  call('SET', P .. ':u:' .. user .. ':v:' .. id, event, 'EX', ARGV[5])
  if how == '1' then
    call('ZADD', P .. ':ended', ARGV[3], id)
  elseif how == '2' then
    call('ZREM', P .. ':ended', id)
  end
  -- The stream only names it: a result lies in Redis once, as the view.
  if tell == '1' then publish(user, event, ARGV[6], ARGV[7], '{"type":"ended","job_id":"' .. id .. '"}') end
  return release(queue, user, id, ARGV[4])
end

local freed = {}
for i = 8, #ARGV, ${finishArguments} do
  freed[#freed + 1] = finish(ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3], ARGV[i + 4], ARGV[i + 5], ARGV[i + 6])
end
call('INCRBY', P .. ':finished:' .. queue, #freed)
return freed
`);

/**
 * Frees the slot of a job that is not terminal (it retries or waits for its next step).
 *
 * ARGV: 1 prefix, 2 queue, 3 user, 4 job id, 5 end of lease (ms). Replies like one of `finishScript`.
 */
export const releaseScript = script(`
${prefixLua}${bandsLua(bands)}${fairLua}${releaseLua}
return release(ARGV[2], ARGV[3], ARGV[4], ARGV[5])
`);
