import { script } from './script.ts';
import { prefixLua, settleLua } from './shared.ts';

/**
 * Takes an admission back whose row could not be made durable: reservation, place in the queue, turn, idempotency entry.
 *
 * ARGV: 1 prefix, 2 queue, 3 user, 4 job id, 5 class, 6 idempotency key ('' none)
 */
export const unadmitScript = script(`
${prefixLua}${settleLua}
settle(ARGV[3], ARGV[4], false)
if call('ZREM', P .. ':w:' .. ARGV[2], ARGV[4]) == 1 then
  local fairKey = P .. ':fair:' .. ARGV[2] .. ':' .. ARGV[5]
  if call('HEXISTS', fairKey, ARGV[3]) == 1 then call('HINCRBY', fairKey, ARGV[3], -1) end
end
if ARGV[6] ~= '' then call('DEL', ARGV[6]) end
return 1
`);
