import { describe, expect, test } from '@jest/globals';
import { createMemoryBroker } from '../../src/broker/memory/memory-broker.ts';
import { SharedSubscriber } from '../../src/broker/shared-subscriber.ts';
import { systemClock } from '../../src/clock.ts';
import { HeapClock, settled } from '../support/heap-clock.ts';
import { describeEventLog } from './contract.ts';

const HISTORY = { maxLength: 1000, maxAgeSeconds: 86_400, firehoseMaxLength: 10_000 };

// Whoever shares a connection has what he would have on one of his own.
describeEventLog('memory, subscribers sharing a connection', async () => {
  const broker = createMemoryBroker({ clock: systemClock, history: HISTORY });
  const subscriber = new SharedSubscriber(broker.log);
  return {
    log: new Proxy(broker.log, {
      get(target, name) {
        const of: object = name === 'subscribe' ? subscriber : target;
        const value: unknown = Reflect.get(of, name);
        return typeof value === 'function' ? value.bind(of) : value;
      },
    }),
    trim: async (channel, keep) => broker.trim(channel, keep),
    close: () => broker.close(),
  };
});

function shared() {
  const broker = createMemoryBroker({ clock: new HeapClock(), history: HISTORY });
  const calls: string[] = [];
  const refused = new Set<string>();
  const subscriber = new SharedSubscriber({
    async subscribe(channels, listener) {
      calls.push('open');
      const one = await broker.log.subscribe(channels, listener);
      return {
        async add(channel) {
          calls.push(`add ${channel}`);
          if (refused.has(channel)) throw new Error('NOPERM');
          return one.add(channel);
        },
        remove(channel) {
          calls.push(`remove ${channel}`);
          one.remove(channel);
        },
        close() {
          calls.push('close');
          one.close();
        },
      };
    },
  });
  const hear = async (...channels: string[]) => {
    const heard: string[] = [];
    const subscription = await subscriber.subscribe(channels, {
      message: (channel, payload) => void heard.push(`${channel} ${payload.toString()}`),
      lost: (reason) => void heard.push(`lost: ${reason.message}`),
    });
    return { heard, subscription };
  };
  const publish = async (channel: string, data: string) => {
    const count = await broker.log.publish(channel, Buffer.from(data));
    await settled();
    return count;
  };
  return { broker, calls, refused, hear, publish };
}

describe('a shared subscriber', () => {
  test('opens one connection and subscribes a channel once, also for those who come at the same time', async () => {
    const { hear, publish, calls } = shared();
    const [one, two] = await Promise.all([hear('a'), hear('a', 'b')]);
    expect(await publish('a', '1')).toBe(1);
    expect(await publish('b', '2')).toBe(1);
    expect([one.heard, two.heard]).toEqual([['a 1'], ['a 1', 'b 2']]);
    expect(calls).toEqual(['open', 'add a', 'add b']);
  });

  test('unsubscribes a channel with the last who has it, and closes with the last of all', async () => {
    const { hear, calls } = shared();
    const [one, two] = await Promise.all([hear('a', 'b'), hear('a')]);
    one.subscription.remove('a');
    one.subscription.remove('a');
    await settled();
    expect(calls.slice(3)).toEqual([]);
    two.subscription.close();
    await settled();
    expect(calls.slice(3)).toEqual(['remove a']);
    one.subscription.close();
    one.subscription.close();
    await settled();
    expect(calls.slice(4)).toEqual(['remove b', 'close']);
  });

  test('leaves the channels of others alone, whatever one of them removes', async () => {
    const { hear, publish } = shared();
    const [one, two] = await Promise.all([hear('a'), hear('b')]);
    two.subscription.remove('a');
    await publish('a', '1');
    expect(one.heard).toEqual(['a 1']);
  });

  test('tells each of them of a loss once, and opens a new connection for who comes then', async () => {
    const { broker, hear, publish, calls } = shared();
    const [one, two, gone] = await Promise.all([hear('a'), hear('a'), hear('a')]);
    gone.subscription.close();
    broker.outage(true);
    await settled();
    const told = 'lost: the memory broker is in an outage';
    expect([one.heard, two.heard, gone.heard]).toEqual([[told], [told], []]);
    await expect(hear('a')).rejects.toMatchObject({ code: 'unavailable' });
    broker.outage(false);
    const again = await hear('a');
    // What is left of the lost one closes nothing of the new one.
    one.subscription.close();
    two.subscription.remove('a');
    await expect(one.subscription.add('a')).rejects.toMatchObject({ code: 'closed' });
    expect([await publish('a', '1'), again.heard]).toEqual([1, ['a 1']]);
    expect(calls.filter((call) => call === 'open')).toHaveLength(3);
  });

  test('keeps the connection for who comes while the one before him goes', async () => {
    const { hear, publish, calls } = shared();
    const one = await hear('a');
    const two = hear('b');
    one.subscription.close();
    expect([await two.then(() => publish('b', '1')), (await two).heard]).toEqual([1, ['b 1']]);
    expect(calls).toEqual(['open', 'add a', 'remove a', 'add b']);
  });

  test('refuses a channel to all who ask for it at once, and asks the server again for the next', async () => {
    const { hear, refused, calls } = shared();
    refused.add('a');
    const one = await hear();
    const two = await hear();
    const asked = [one.subscription.add('a'), two.subscription.add('a')];
    expect((await Promise.allSettled(asked)).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    refused.clear();
    await two.subscription.add('a');
    expect(calls).toEqual(['open', 'add a', 'add a']);
  });

  test('leaves nothing behind of who is refused one of several', async () => {
    const { hear, refused, publish, calls } = shared();
    refused.add('b');
    await expect(hear('a', 'b')).rejects.toThrow('NOPERM');
    await settled();
    expect([await publish('a', '1'), calls.at(-1)]).toEqual([0, 'close']);
  });
});
