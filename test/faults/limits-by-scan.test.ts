import { describe, expect, jest, test } from '@jest/globals';
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

const LISTINGS = ['values', 'keys', 'entries', 'forEach', Symbol.iterator] as const;

/** How often anything is gone through while a limit is checked. */
function listingsOf(create: () => Counts): number {
  const counts = create();
  for (let at = 0; at < 30; at += 1) counts.open(`c${at % 10}`);
  const listed = [Map.prototype, Set.prototype].flatMap((collection) =>
    LISTINGS.map((name) => jest.spyOn(collection as Map<unknown, unknown>, name)),
  );
  try {
    if (counts.size !== 30 || counts.countOn('c3') !== 3) throw new Error('miscounted');
    return listed.reduce((sum, { mock }) => sum + mock.calls.length, 0);
  } finally {
    for (const spy of listed) spy.mockRestore();
  }
}

describe('a full `maxTotalConnections` check costs O(n) per connection', () => {
  test('counters: no collection is gone through', () => {
    expect(listingsOf(ours)).toBe(0);
  });

  test('with a scan of the registry the check fails', () => {
    expect(listingsOf(() => new LimitsByScan())).toBeGreaterThan(0);
  });
});
