import type { Socket } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { createClientAddress, networkOf } from '../../src/transport/client-address.ts';

const requestFrom = (remoteAddress: string | undefined, forwarded?: string) => ({
  socket: { remoteAddress } as Socket,
  headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded },
});

describe('the address of a client', () => {
  test.each([
    ['10.0.0.1', '10.0.0.1'],
    ['::ffff:10.0.0.1', '10.0.0.1'],
    ['2001:db8::1', '2001:db8::1'],
    [undefined, ''],
  ])('of a connection from %s is %s, whatever a header says', (remote, address) => {
    expect(createClientAddress(false)(requestFrom(remote, '192.0.2.1'))).toBe(address);
  });

  test.each([
    ['192.0.2.1', '192.0.2.1'],
    ['203.0.113.9, 192.0.2.1', '192.0.2.1'],
    ['203.0.113.9,192.0.2.1 ', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['192.0.2.1:4711', '192.0.2.1'],
    ['[2001:db8::1]:4711', '2001:db8::1'],
    ['[2001:db8::1]', '2001:db8::1'],
    ['2001:db8::1', '2001:db8::1'],
    ['unknown', '10.0.0.1'],
    ['192.0.2.1, nonsense', '10.0.0.1'],
    ['', '10.0.0.1'],
  ])('behind a proxy that says %j is %s: only the last one is the proxy’s own word', (forwarded, address) => {
    expect(createClientAddress(true)(requestFrom('10.0.0.1', forwarded))).toBe(address);
  });

  test('behind a proxy that says nothing is that of the connection', () => {
    expect(createClientAddress(true)(requestFrom('::ffff:10.0.0.1'))).toBe('10.0.0.1');
  });
});

describe('what an address is counted by', () => {
  test.each([
    ['10.0.0.1', '10.0.0.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:0DB8:0001:0002::6', '2001:db8:1:2::/64'],
    ['2001:db8::6', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['64:ff9b::192.0.2.1', '64:ff9b:0:0::/64'],
    ['', ''],
  ])('%s is counted as %s', (address, network) => {
    expect(networkOf(address)).toBe(network);
  });

  test('is the same for all addresses of one /64, however they are written, and another for every other', () => {
    fc.assert(
      fc.property(fc.ipV6(), fc.ipV6(), (one, other) => {
        const firstHalf = (address: string): string => {
          // As the platform's own parser has it.
          const { hostname } = new URL(`http://[${address}]/`);
          const [left = '', right = ''] = hostname.slice(1, -1).split('::');
          const head = left === '' ? [] : left.split(':');
          const tail = right === '' ? [] : right.split(':');
          const zeros = hostname.includes('::') ? 8 - head.length - tail.length : 0;
          return [...head, ...Array.from({ length: zeros }, () => '0'), ...tail].slice(0, 4).join(':');
        };
        expect(networkOf(one)).toBe(`${firstHalf(one)}::/64`);
        expect(networkOf(one) === networkOf(other)).toBe(firstHalf(one) === firstHalf(other));
      }),
    );
  });
});
