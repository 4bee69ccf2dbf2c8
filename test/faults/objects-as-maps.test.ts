import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import type { Subscription } from '../../src/routing/subscriptions.ts';
import { Subscriptions } from '../../src/routing/subscriptions.ts';
import { ObjectsAsMaps } from './objects-as-maps.ts';

/** Who is on which channel, as both keep it. */
interface Channels {
  join(channel: string): void;
  countOn(channel: string): number;
}

const ours = (): Channels => {
  const subscriptions = new Subscriptions({ onJoined() {}, onLeft() {} });
  return {
    join: (channel) => subscriptions.join({ channels: [channel] } as unknown as Subscription),
    countOn: (channel) => subscriptions.of(channel)?.size ?? 0,
  };
};
const naive = (): Channels => {
  const channels = new ObjectsAsMaps();
  return {
    join: (channel) => channels.join(channel, 'socket'),
    countOn: (channel) => channels.of(channel)?.length ?? 0,
  };
};

const name = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom(...Object.getOwnPropertyNames(Object.prototype), 'prototype', 'length', ''),
);

/** Any names: each channel has those that joined it, and every other one has none. */
const check = (create: () => Channels): void =>
  fc.assert(
    fc.property(fc.array(name), fc.array(name), (joined, others) => {
      const channels = create();
      for (const channel of joined) channels.join(channel);
      for (const channel of [...joined, ...others]) {
        if (channels.countOn(channel) !== joined.filter((one) => one === channel).length) return false;
      }
      return true;
    }),
    { seed: 20_261_121, numRuns: 500 },
  );

describe("F1.20 `channels`/`sockets` are plain objects: channel id 'constructor'", () => {
  test('any name is a channel like any other', () => {
    expect(() => check(ours)).not.toThrow();
  });

  test('with plain objects as maps the check fails', () => {
    expect(() => check(naive)).toThrow('Property failed');
  });
});
