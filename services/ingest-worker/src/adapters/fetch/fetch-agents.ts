import { lookup as systemLookup } from 'node:dns';
import type { Agent } from 'node:http';
import { isIP, type LookupFunction } from 'node:net';
import { RequestFilteringHttpAgent, RequestFilteringHttpsAgent } from 'request-filtering-agent';
import { hostOf, refused } from './check-url.ts';
import { isPublicAddress } from './public-address.ts';

/** Where a fetch may go. Production takes the default; tests, whose servers are on loopback, bring their own. */
export interface FetchPolicy {
  readonly isAllowed: (address: string) => boolean;
  /** Resolves names; the system's resolver unless given. */
  readonly lookup: LookupFunction;
  /** Names and ports that are refused unseen. */
  readonly checkUrl: (text: string) => URL;
}

type Agents = Readonly<Record<'http:' | 'https:', Agent>>;

/** The code on an error of an address that was refused while connecting. */
export const refusedCode = 'EREFUSEDADDRESS';

/**
 * Agents that connect to public addresses alone. The name is resolved once for each connection; every address of the answer
 * must be allowed, and the connection goes to one of exactly those, so a second, different answer is never asked for (DNS
 * rebinding). Connections are not kept.
 */
export function createFetchAgents(policy: Pick<FetchPolicy, 'isAllowed' | 'lookup'>): Agents {
  const lookup: LookupFunction = (hostname, options, callback) => {
    policy.lookup(hostname, { ...options, all: true }, (error, found) => {
      if (error) return callback(error, '', 0);
      const addresses = Array.isArray(found) ? found : [];
      const [first] = addresses;
      const bad = addresses.find(({ address }) => !policy.isAllowed(address));
      if (first === undefined || bad) return callback(refusedAddress(hostname), '', 0);
      if (options.all) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };
  // The filter below is the agent's own, under ours: addresses that a test's policy allows, it must let through.
  const filter = { allowPrivateIPAddress: policy.isAllowed !== isPublicAddress, allowMetaIPAddress: false };
  const options = { keepAlive: false, lookup, ...filter };
  return { 'http:': new RequestFilteringHttpAgent(options), 'https:': new RequestFilteringHttpsAgent(options) };
}

/** A literal address is connected to without any lookup, so it is judged here. Throws `fetch_refused`. */
export function checkLiteral(url: URL, policy: Pick<FetchPolicy, 'isAllowed'>): void {
  const host = hostOf(url);
  if (isIP(host) !== 0 && !policy.isAllowed(host)) throw refused('It leads into a private network.');
}

function refusedAddress(hostname: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${hostname} leads to an address that may not be fetched`), { code: refusedCode });
}

export const publicPolicy: Omit<FetchPolicy, 'checkUrl'> = {
  isAllowed: isPublicAddress,
  lookup: systemLookup,
};
