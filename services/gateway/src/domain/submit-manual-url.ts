import { unescape } from 'node:querystring';
import { ManuelError, derivedId, newManualId } from '@manuel/contracts';
import { displayFilename } from '@manuel/media';
import type { Caller } from './caller.ts';
import type { Outside } from './outside.ts';
import { type Idempotency, type Submitted, checkPriority } from './submission.ts';
import { type ManualOptions, admitManual, checkReplaced } from './submit-manual.ts';

/** Ports below 1024 that serve the web; others there speak other protocols. */
const webPorts = new Set(['', '80', '443']);

/** Throws `fetch_refused` for what can be seen without asking the network; the worker judges addresses and redirects. */
export function checkSourceUrl(text: string): URL {
  if (!URL.canParse(text)) throw refused('is not an address');
  const url = new URL(text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw refused('must start with http:// or https://');
  if (url.username !== '' || url.password !== '') throw refused('must not hold a user name or password');
  if (!webPorts.has(url.port) && Number(url.port) < 1024) throw refused(`must not use port ${url.port}`);
  return url;
}

const refused = (why: string): ManuelError =>
  new ManuelError('fetch_refused', `source_url ${why}.`, { errors: [{ path: 'source_url', message: why }] });

function nameIn(url: URL): string {
  const last = url.pathname.split('/').pop() ?? '';
  // Unlike decodeURIComponent, unescape never throws on what is no valid escape.
  return last === '' ? url.hostname : displayFilename(unescape(last));
}

/** Takes in a manual that the ingest worker will fetch. */
export async function submitManualUrl(
  outside: Outside,
  caller: Caller,
  source: { source_url: string; filename?: string | undefined },
  options: ManualOptions,
  idempotency?: Idempotency,
): Promise<Submitted> {
  checkPriority(caller, options.priority);
  const url = checkSourceUrl(source.source_url);
  await checkReplaced(outside, caller, options.replaces);
  const manualId = idempotency ? `man_${derivedId(caller.userId, 'ingest', idempotency.key)}` : newManualId();
  const filename = source.filename === undefined ? nameIn(url) : displayFilename(source.filename);
  return admitManual(outside, caller, {
    row: {
      manual_id: manualId,
      filename,
      content_type: 'application/octet-stream',
      bytes: 0,
      source_url: url.href,
    },
    method: 'url',
    source: { kind: 'url', url: url.href },
    options,
    idempotency,
    discard: async () => undefined,
  });
}
