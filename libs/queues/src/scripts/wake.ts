import { script } from './script.ts';
import { prefixLua } from './shared.ts';

/**
 * Whether a job that was just put off should come back at once: it got a slot, or was ended from outside, while it was on its
 * way. ARGV: 1 prefix, 2 queue, 3 user, 4 job id
 */
export const wakeScript = script(`
${prefixLua}
if call('ZSCORE', P .. ':act:' .. ARGV[2] .. ':' .. ARGV[3], ARGV[4]) then return 1 end
if call('ZSCORE', P .. ':ended', ARGV[4]) then return 1 end
return 0
`);
