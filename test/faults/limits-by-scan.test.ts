import { describe, expect, test } from '@jest/globals';
import { SimulatedTransport } from '../support/simulated-transport.ts';
import { World } from '../model/world.ts';
import { LimitsByScan } from './limits-by-scan.ts';
import { PEER } from '../support/peer.ts';

/** What a limit is checked against. */
interface Counts {
  open(channel: string): void;
  readonly size: number;
  countOn(channel: string): number;
}

const ours = (): Counts => {
  const { sockets, routing } = new World(1).actors;
  return {
    open: (channel) =>
      void sockets.open({
        peer: PEER,
        channels: [channel],
        lastId: undefined,
        credentialLifetimeMs: undefined,
        connect: (_, listener) => new SimulatedTransport(routing.budget, listener, () => {}),
      }),
    get size() {
      return sockets.size;
    },
    countOn: (channel) => sockets.countOn(channel),
  };
};

const CHECKS = 2_000;

/** How many times as much a check costs with 3,000 sockets as with 30: the quietest of five rounds of each. */
function growth(create: () => Counts): number {
  const [few, many] = [30, 3_000].map((sockets) => {
    const counts = create();
    for (let at = 0; at < sockets; at += 1) counts.open(`c${at % 10}`);
    const costMs = (): number => {
      const startedMs = performance.now();
      for (let check = 0; check < CHECKS; check += 1) {
        if (counts.size !== sockets || counts.countOn('c3') !== sockets / 10) throw new Error('miscounted');
      }
      return performance.now() - startedMs;
    };
    return Math.min(...[1, 2, 3, 4, 5].map(costMs));
  }) as [number, number];
  return many / few;
}

describe('a full `maxTotalConnections` check costs O(n) per connection', () => {
  test('counters: it costs the same with a hundred times as many sockets', () => {
    expect(growth(ours)).toBeLessThan(10);
  });

  test('with a scan of the registry the check fails', () => {
    expect(growth(() => new LimitsByScan())).toBeGreaterThan(20);
  });
});
