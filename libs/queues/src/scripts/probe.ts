import { script } from './script.ts';
import { prefixLua } from './shared.ts';

/**
 * What BullMQ knows of a job.
 *
 * ARGV: 1 prefix, 2 queue, 3 job id. Replies {state, started_at or '', failed reason or '', tries made, stalled, until when a
 * worker is sure to run it though Redis forgot it (ms) or ''} with state `unknown` (no such job), `lost` (a hash that no list
 * names), `waiting`, `running`, `delayed`, `completed` or `failed`.
 */
export const probeScript = script(`
${prefixLua}
local Q = P .. ':' .. ARGV[2] .. ':'
local id = ARGV[3]
local f = call('HMGET', Q .. id, 'name', 'mst', 'failedReason', 'atm', 'stc', 'finishedOn')
local alive = call('ZSCORE', P .. ':alive', id) or ''
if not f[1] then return {'unknown', '', '', '0', '0', alive} end
local state = 'lost'
if call('ZSCORE', Q .. 'prioritized', id) then state = 'waiting'
elseif call('EXISTS', Q .. id .. ':lock') == 1 then state = 'running'
elseif call('ZSCORE', Q .. 'delayed', id) then state = 'delayed'
elseif call('ZSCORE', Q .. 'failed', id) then state = 'failed'
elseif call('ZSCORE', Q .. 'completed', id) then state = 'completed'
elseif call('LPOS', Q .. 'wait', id) then state = 'waiting'
elseif call('LPOS', Q .. 'active', id) then state = 'running'
end
return {state, f[2] or '', f[3] or '', f[4] or '0', f[5] or '0', alive}
`);
