import type { IncomingMessage } from 'node:http';

/**
 * The client's address: the last hop that is not one of ours. As Express would find it with `trust proxy` as a number of hops,
 * but for upgrades as well, which Express never sees.
 */
export function clientAddress(request: IncomingMessage, trustedProxies: number): string | undefined {
  const header = request.headers['x-forwarded-for'];
  if (header === undefined) return request.socket.remoteAddress;
  const forwarded = String(header)
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
  const hops = [request.socket.remoteAddress, ...forwarded.toReversed()];
  return hops[Math.min(trustedProxies, hops.length - 1)];
}
