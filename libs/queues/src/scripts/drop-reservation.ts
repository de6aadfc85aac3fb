import { script } from './script.ts';
import { prefixLua } from './shared.ts';

/**
 * Forgets an open job that is none, and the user's counters with it: the next admission reads them from the ledger.
 * The overrides of the limits are read again, too. ARGV: 1 prefix, 2 user, 3 job id
 */
export const dropReservationScript = script(`
${prefixLua}
if call('HDEL', P .. ':u:' .. ARGV[2] .. ':open', ARGV[3]) == 1 then call('DEL', P .. ':u:' .. ARGV[2] .. ':quota') end
return 1
`);
