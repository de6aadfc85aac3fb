import { script } from './script.ts';
import { prefixLua, publishLua } from './shared.ts';

/** Publishes events of one user in order. ARGV: 1 prefix, 2 user, 3 stream length, 4 stream seconds, 5.. events (JSON) */
export const publishScript = script(`
${prefixLua}${publishLua}
for i = 5, #ARGV do publish(ARGV[2], ARGV[i], ARGV[3], ARGV[4]) end
return #ARGV - 4
`);

/**
 * Progress of a job: kept in its hash for readers and told to the owner.
 *
 * ARGV: 1 prefix, 2 queue, 3 job id, 4 user, 5 progress (JSON), 6 event (JSON), 7 stream length, 8 stream seconds, 9 percent
 */
export const progressScript = script(`
${prefixLua}${publishLua}
local jobKey = P .. ':' .. ARGV[2] .. ':' .. ARGV[3]
if call('EXISTS', jobKey) == 1 then call('HSET', jobKey, 'mpg', ARGV[5], 'progress', ARGV[9]) end
publish(ARGV[4], ARGV[6], ARGV[7], ARGV[8])
return 1
`);
