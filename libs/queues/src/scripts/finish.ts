import { bands } from '../bands.ts';
import { script } from './script.ts';
import { bandsLua, fairLua, prefixLua, publishLua, releaseLua, settleLua } from './shared.ts';

/**
 * A job is terminal in the ledger: settles its reservation, frees its slot, counts the completion, keeps its view hot for
 * readers and tells the owner. Safe to run again.
 *
 * ARGV: 1 prefix, 2 queue, 3 user, 4 job id, 5 now, 6 charged (0/1), 7 lease (ms), 8 the job as its owner sees it (JSON),
 * 9 seconds that view is kept, 10 stream length, 11 stream seconds, 12 tell the owner (0/1), 13 mark as ended from outside
 * (0/1: whichever worker meets it drops it)
 *
 * Replies the id of a parked job that got the slot, or null.
 */
export const finishScript = script(`
${prefixLua}${bandsLua(bands)}${publishLua}${fairLua}${settleLua}${releaseLua}
local queue, user, id, now = ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5])
settle(user, id, ARGV[6] == '1')
call('ZREM', P .. ':w:' .. queue, id)
local rateKey = P .. ':rate:' .. queue
local r = call('HMGET', rateKey, 't', 'c')
local c = 1
if r[1] then c = 1 + tonumber(r[2]) * math.exp(math.min(0, (tonumber(r[1]) - now) / 30000)) end
call('HSET', rateKey, 't', now, 'c', string.format('%.4f', c))
call('SET', P .. ':u:' .. user .. ':v:' .. id, ARGV[8], 'EX', ARGV[9])
if ARGV[13] == '1' then
  call('ZADD', P .. ':ended', now, id)
else
  call('ZREM', P .. ':ended', id)
end
if ARGV[12] == '1' then publish(user, '{"type":"job","job":' .. ARGV[8] .. '}', ARGV[10], ARGV[11]) end
return release(queue, user, id, now, tonumber(ARGV[7]))
`);

/**
 * Frees the slot of a job that is not terminal (it retries or waits for its next step).
 *
 * ARGV: 1 prefix, 2 queue, 3 user, 4 job id, 5 now, 6 lease (ms). Replies like `finishScript`.
 */
export const releaseScript = script(`
${prefixLua}${bandsLua(bands)}${fairLua}${releaseLua}
return release(ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5]), tonumber(ARGV[6]))
`);
