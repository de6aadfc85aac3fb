import { BlockList, isIP } from 'node:net';

/**
 * Networks that are nobody's public server, beside those that request-filtering-agent knows: IANA's special-purpose registries
 * (https://www.iana.org/assignments/iana-ipv4-special-registry, .../iana-ipv6-special-registry), and ways to write an IPv4 address in IPv6.
 */
const ipv4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.31.196.0/24',
  '192.52.193.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '192.175.48.0/24',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
];
const ipv6 = [
  '::/96',
  '::ffff:0:0/96',
  '::ffff:0:0:0/96',
  '64:ff9b::/96',
  '64:ff9b:1::/48',
  '100::/64',
  '2001::/23',
  '2001:db8::/32',
  '2002::/16',
  '3fff::/20',
  '5f00::/16',
  'fc00::/7',
  'fe80::/10',
  'fec0::/10',
  'ff00::/8',
];

function blockList(networks: readonly string[], family: 'ipv4' | 'ipv6'): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', bits = ''] = network.split('/');
    list.addSubnet(address, Number(bits), family);
  }
  return list;
}

/** One list a family: a BlockList takes every IPv4 address for its mapped form, too, and ::ffff:0:0/96 would forbid them all. */
const forbidden = { 4: blockList(ipv4, 'ipv4'), 6: blockList(ipv6, 'ipv6') };

/** Whether an IP address may be a public server. A zone (`fe80::1%eth0`) never is. */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address);
  if (address.includes('%')) return false;
  if (family === 4) return !forbidden[4].check(address, 'ipv4');
  return family === 6 && !forbidden[6].check(address, 'ipv6');
}
