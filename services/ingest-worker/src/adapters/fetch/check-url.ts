import { isIP } from 'node:net';
import { ManuelError } from '@manuel/contracts';

const schemes = new Set(['http:', 'https:']);
/** Below 1024 the web lives on these two; elsewhere there other protocols do. */
const webPorts = new Set(['', '80', '443']);
/** Above, ports of services that must not be talked to in HTTP (https://fetch.spec.whatwg.org/#port-blocking, and databases). */
const foreignPorts = new Set(
  '1719 1720 1723 2049 2375 2376 2379 3306 3389 3659 4045 4190 5060 5061 5432 5984 6000 6379 6380 6566 6665 6666 6667 6668 6669 6679 6697 9042 9200 9300 10080 11211 27017'.split(
    ' ',
  ),
);
/** Names that only mean something inside a network. */
const insideOnly = /(^|\.)(localhost|local|internal|intranet|lan|home|corp|private|home\.arpa|localdomain)$/;

/**
 * Judges an address by what is written: scheme, credentials, port, and names that only a local network knows. Where it leads is
 * judged when it is resolved. Throws `fetch_refused`.
 */
export function checkUrl(text: string): URL {
  if (!URL.canParse(text)) throw refused('It is not a web address.');
  const url = new URL(text);
  if (!schemes.has(url.protocol)) throw refused('It must start with http:// or https://.');
  if (url.username !== '' || url.password !== '') throw refused('It must not hold a user name or password.');
  if ((!webPorts.has(url.port) && Number(url.port) < 1024) || foreignPorts.has(url.port)) {
    throw refused(`Port ${url.port} is not one that web servers use.`);
  }
  const host = hostOf(url);
  if (isIP(host) === 0 && (!host.includes('.') || insideOnly.test(host)))
    throw refused('It leads into a private network.');
  return url;
}

/** Host name or address without brackets and without the dot that ends a full name. */
export const hostOf = (url: URL): string => url.hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');

export const refused = (why: string, options?: { cause: unknown }): ManuelError =>
  new ManuelError(
    'fetch_refused',
    `The address may not be fetched. ${why} Download the manual and upload the file instead.`,
    options ?? {},
  );
