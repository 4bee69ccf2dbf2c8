import { describe, expect, test } from '@jest/globals';
import { type Attachment, Channels } from '../../src/actors/channel.ts';
import { Registry } from '../../src/routing/registry.ts';
import { HeapClock, settled } from '../support/heap-clock.ts';

function createChannels(attachment?: Attachment) {
  const clock = new HeapClock();
  const registry = new Registry({ clock });
  const errors: unknown[] = [];
  const channels = new Channels({
    registry,
    prefix: '',
    ...(attachment !== undefined && { attachment }),
    gcIntervalMs: 3_600_000,
    random: () => 1,
    onError: (error) => errors.push(error),
  });
  return { clock, registry, channels, errors };
}

describe('channels', () => {
  test('begin with their first subscriber, one actor each', () => {
    const { channels, registry } = createChannels();
    for (const channel of ['a', 'b', 'a']) channels.joined(channel);
    expect([channels.size, registry.size]).toEqual([2, 2]);
  });

  test('are kept for an hour after the last subscriber has gone, and a join brings them back', () => {
    const { channels, registry, clock } = createChannels();
    channels.joined('a');
    channels.joined('a');
    channels.left('a');
    clock.increment(7_200_000);
    expect(channels.size).toBe(1);
    channels.left('a');
    clock.increment(3_599_999);
    channels.joined('a');
    clock.increment(7_200_000);
    expect(channels.size).toBe(1);
    channels.left('a');
    clock.increment(3_600_000);
    expect([channels.size, registry.size]).toEqual([0, 0]);
  });

  test('begin anew when somebody joins after that', () => {
    const { channels, clock } = createChannels();
    channels.joined('a');
    channels.left('a');
    clock.increment(3_600_000);
    channels.joined('a');
    expect(channels.size).toBe(1);
    channels.left('a');
    clock.increment(3_600_000);
    expect(channels.size).toBe(0);
  });

  test('are not collected while pages of theirs are read', () => {
    const { channels, clock } = createChannels();
    channels.joined('a');
    channels.pageRequested('a');
    channels.left('a');
    clock.increment(7_200_000);
    expect(channels.size).toBe(1);
    channels.pageSettled('a');
    clock.increment(3_600_000);
    expect(channels.size).toBe(0);
  });

  test('that nobody knows are told nothing', () => {
    const { channels } = createChannels();
    channels.left('a');
    channels.pageRequested('a');
    channels.pageSettled('a');
    expect(channels.size).toBe(0);
  });

  test('end with their timers when they are closed', () => {
    const { channels, registry, clock } = createChannels();
    for (const channel of ['a', 'b']) channels.joined(channel);
    channels.left('a');
    channels.close();
    expect([channels.size, registry.size]).toEqual([0, 0]);
    clock.increment(7_200_000);
    expect(channels.size).toBe(0);
  });

  describe('on a feed that has to be joined', () => {
    test('are attached once, again and again until it works, and detached at the end', async () => {
      const calls: string[] = [];
      let isDown = true;
      const { channels, clock } = createChannels({
        async attach(channel) {
          calls.push(`attach ${channel} at ${clock.now() - startMs}`);
          if (isDown) throw new Error('the feed is away');
        },
        detach: (channel) => void calls.push(`detach ${channel}`),
      });
      const startMs = clock.now();
      channels.joined('a');
      await settled();
      await clock.advance(1_000);
      isDown = false;
      await clock.advance(5_000);
      channels.joined('a');
      channels.left('a');
      channels.left('a');
      await clock.advance(3_600_000);
      expect(calls).toEqual([
        'attach a at 0',
        'attach a at 200',
        'attach a at 600',
        'attach a at 1400',
        'detach a',
      ]);
    });
  });

  test('are attached anew when their feed is lost, those that somebody uses; the others end', async () => {
    const calls: string[] = [];
    const { channels, clock } = createChannels({
      attach: async (channel) => void calls.push(`attach ${channel}`),
      detach: (channel) => void calls.push(`detach ${channel}`),
    });
    for (const channel of ['a', 'b']) channels.joined(channel);
    await settled();
    channels.left('b');
    channels.feedLost();
    expect([calls.splice(0), channels.size]).toEqual([['attach a', 'attach b', 'attach a', 'detach b'], 1]);
    await settled();
    channels.left('a');
    clock.increment(3_600_000);
    expect([calls, channels.size]).toEqual([['detach a'], 0]);
  });

  test('one that crashes is reported and forgotten; the next join begins it anew', () => {
    let isBroken = true;
    const bug = new Error('a bug');
    const { channels, errors } = createChannels({
      attach() {
        if (isBroken) throw bug;
        return Promise.resolve();
      },
      detach() {},
    });
    channels.joined('a');
    expect([errors, channels.size]).toEqual([[bug], 0]);
    isBroken = false;
    channels.joined('a');
    expect([errors.length, channels.size]).toEqual([1, 1]);
  });
});
