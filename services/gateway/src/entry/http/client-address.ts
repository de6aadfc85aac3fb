import type { IncomingMessage } from 'node:http';

/**
 * The client's address as Express finds it (`trust proxy` as a number of hops): the last hop that is not one of ours. For
 * upgrades, which Express never sees.
 */
export function clientAddress(request: IncomingMessage, trustedProxies: number): string | undefined {
  const forwarded = String(request.headers['x-forwarded-for'] ?? '')
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
  const hops = [request.socket.remoteAddress, ...forwarded.toReversed()];
  return hops[Math.min(trustedProxies, hops.length - 1)];
}
