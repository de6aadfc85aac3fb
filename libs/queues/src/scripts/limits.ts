import { script } from './script.ts';
import { prefixLua } from './shared.ts';

/** Overrides of a user's limits, where counters are kept. ARGV: 1 prefix, 2 user, 3 daily ('' the default), 4 monthly */
export const limitsScript = script(`
${prefixLua}
local quotaKey = P .. ':u:' .. ARGV[2] .. ':quota'
if call('HEXISTS', quotaKey, 'day') == 0 then return 0 end
for i, field in ipairs({'dl', 'ml'}) do
  if ARGV[2 + i] == '' then call('HDEL', quotaKey, field) else call('HSET', quotaKey, field, ARGV[2 + i]) end
end
return 1
`);
