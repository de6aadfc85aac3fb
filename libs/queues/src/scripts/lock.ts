import { script } from './script.ts';

/** Gives a lock back if it is still ours. ARGV: 1 prefix, 2 lock key, 3 token */
export const unlockScript = script(`
if redis.call('GET', ARGV[2]) == ARGV[3] then return redis.call('DEL', ARGV[2]) end
return 0
`);
