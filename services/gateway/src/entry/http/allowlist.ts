import ipaddr from 'ipaddr.js';
import { ManuelError } from '@manuel/contracts';

type Address = ipaddr.IPv4 | ipaddr.IPv6;
type Range = [Address, number];

function parseRange(entry: string): Range {
  if (entry.includes('/')) {
    const [address, bits] = ipaddr.parseCIDR(entry);
    if (address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress() && bits >= 96) {
      return [address.toIPv4Address(), bits - 96];
    }
    return [address, bits];
  }
  const address = ipaddr.process(entry);
  return [address, address.kind() === 'ipv4' ? 32 : 128];
}

/**
 * Whether an address is one of `entries` (addresses and CIDRs, IPv4 and IPv6; none: everybody is). An IPv4 address in its
 * IPv6 form counts as IPv4. Throws on an entry that is no address, naming it.
 */
export function createAllowlist(entries: readonly string[]): (address: string | undefined) => boolean {
  const ranges = entries.map((entry) => {
    try {
      return parseRange(entry);
    } catch (cause) {
      throw new Error(`IP_ALLOWLIST: given ${JSON.stringify(entry)}, allowed: addresses and CIDRs`, { cause });
    }
  });
  if (ranges.length === 0) return () => true;
  return (text) => {
    if (text === undefined || !ipaddr.isValid(text)) return false;
    const address = ipaddr.process(text);
    // match() throws on a range of the other family.
    return ranges.some(([range, bits]) => range.kind() === address.kind() && address.match(range, bits));
  };
}

export const addressRefused = (): ManuelError =>
  new ManuelError('ip_not_allowed', 'Your address is not on the list of those that may call.');
