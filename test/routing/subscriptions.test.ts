import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { ZERO_ID } from '../../src/event/stream-id.ts';
import type { Delivery } from '../../src/routing/delivery.ts';
import { type Subscription, Subscriptions } from '../../src/routing/subscriptions.ts';

const CHANNELS = ['a', 'b', 'constructor'];

function subscribe(channels: readonly string[]): Subscription {
  return {
    channels,
    delivery: {} as Delivery,
    cursor: ZERO_ID,
    live: false,
    fetching: false,
    claim: undefined,
    replay: undefined,
    gap: undefined,
    generation: 0,
    lastShared: undefined,
    terms: undefined,
    record: undefined,
  };
}

function create() {
  const facts: string[] = [];
  const subscriptions = new Subscriptions({
    onJoined: (channel) => void facts.push(`+${channel}`),
    onLeft: (channel) => void facts.push(`-${channel}`),
  });
  return { subscriptions, facts };
}

describe('subscriptions', () => {
  test('are told of by each pair of a subscription and a channel', () => {
    const { subscriptions, facts } = create();
    const subscription = subscribe(['a', 'b']);
    subscriptions.join(subscription);
    subscriptions.leave(subscription);
    expect(facts).toEqual(['+a', '+b', '-a', '-b']);
  });

  test('nobody is on a channel that nobody joined, whatever its name', () => {
    const { subscriptions } = create();
    for (const name of ['a', '__proto__', 'constructor']) expect(subscriptions.of(name)).toBeUndefined();
  });

  test('leaving twice is leaving once', () => {
    const { subscriptions, facts } = create();
    const subscription = subscribe(['a']);
    subscriptions.join(subscription);
    subscriptions.leave(subscription);
    subscriptions.leave(subscription);
    expect([facts, subscriptions.size]).toEqual([['+a', '-a'], 0]);
  });

  test('are those that joined and have not left, in the order in which they joined', () => {
    const steps = fc.array(
      fc.oneof(
        fc.record({ join: fc.subarray(CHANNELS, { minLength: 1 }) }),
        fc.record({ leave: fc.nat({ max: 20 }) }),
      ),
    );
    fc.assert(
      fc.property(steps, (all) => {
        const { subscriptions, facts } = create();
        const joined: Subscription[] = [];
        let there: Subscription[] = [];
        for (const step of all) {
          if ('join' in step) {
            const subscription = subscribe(step.join);
            joined.push(subscription);
            there.push(subscription);
            subscriptions.join(subscription);
          } else {
            const leaving = joined[step.leave];
            if (leaving === undefined) continue;
            there = there.filter((subscription) => subscription !== leaving);
            subscriptions.leave(leaving);
          }
        }
        expect([...subscriptions.all()]).toEqual(there);
        expect(subscriptions.size).toBe(there.length);
        for (const channel of CHANNELS) {
          const on = there.filter(({ channels }) => channels.includes(channel));
          // Nothing at all is kept of a channel that everybody has left.
          expect([...(subscriptions.of(channel) ?? [])]).toEqual(on);
          expect(subscriptions.of(channel) === undefined).toBe(on.length === 0);
          const count = (sign: string) => facts.filter((fact) => fact === `${sign}${channel}`).length;
          expect(count('+') - count('-')).toBe(on.length);
        }
      }),
    );
  });
});
