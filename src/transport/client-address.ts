import type { IncomingMessage } from 'node:http';
import { isIPv4, isIPv6 } from 'node:net';

/** Where a request comes from, as far as this can be known; empty when the connection is gone already. */
export type ClientAddress = (request: Pick<IncomingMessage, 'headers' | 'socket'>) => string;

/**
 * Makes what reads the address of a client. Behind a proxy it is the last one in X-Forwarded-For: the nearest proxy
 * has put it there, and everything before it may be the client's own invention.
 */
export function createClientAddress(trustProxy: boolean): ClientAddress {
  return ({ headers, socket }) => {
    const direct = withoutMapping(socket.remoteAddress ?? '');
    if (!trustProxy) return direct;
    // Node joins several headers of this name by commas.
    const last = [headers['x-forwarded-for'] ?? ''].flat().join().split(',').at(-1) ?? '';
    const forwarded = withoutMapping(withoutPort(last.trim()));
    return isIPv4(forwarded) || isIPv6(forwarded) ? forwarded : direct;
  };
}

/**
 * The name that an address is counted by. Of IPv6 that is its /64: this much the smallest customer gets, and could
 * come from another address of it each time.
 */
export function networkOf(address: string): string {
  return isIPv6(address) ? `${groupsOf(address).slice(0, 4).join(':')}::/64` : address;
}

/** `::ffff:10.0.0.1` is how a listener for both families sees IPv4. */
function withoutMapping(address: string): string {
  return /^::ffff:(\d{1,3}(?:\.\d{1,3}){3})$/i.exec(address)?.[1] ?? address;
}

/** Some proxies add the port: `10.0.0.1:80`, `[2001:db8::1]:80`. */
function withoutPort(text: string): string {
  return /^\[([^\]]*)\](?::\d+)?$/.exec(text)?.[1] ?? /^([^:]+):\d+$/.exec(text)?.[1] ?? text;
}

/** The eight groups of an IPv6 address, as numbers in hexadecimal without leading zeros. */
function groupsOf(address: string): string[] {
  const [before = '', after] = (address.split('%', 1)[0] as string).split('::');
  const left = groupsIn(before);
  if (after === undefined) return left;
  const right = groupsIn(after);
  return [...left, ...Array.from({ length: 8 - left.length - right.length }, () => '0'), ...right];
}

/** An IPv4 address at the end stands for two groups; which ones does not matter here, as they are never the first. */
function groupsIn(text: string): string[] {
  if (text === '') return [];
  return text
    .split(':')
    .flatMap((group) => (group.includes('.') ? ['0', '0'] : [Number.parseInt(group, 16).toString(16)]));
}
