import { describe, expect, test } from '@jest/globals';
import type { ActorsDeps } from '../../src/actors/actors.ts';
import type { Listener, Subscriber } from '../../src/broker/ports.ts';
import type { PubSubFormat } from '../../src/protocol/pubsub/event-codec.ts';
import { pubSubProtocol } from '../../src/protocol/pubsub/socket-rules.ts';
import { type CoreOptions, createCore } from '../support/core.ts';
import { settled } from '../support/heap-clock.ts';
import { SimulatedTransport } from '../support/simulated-transport.ts';
import { PEER } from '../support/peer.ts';

const GC_MS = 120_000;
const GAP = 'event: gap\ndata: {"reason":"lossy"}\n\n';
const REFUSAL = new Error('NOPERM No permissions to access a channel');

/** A reader of Pub/Sub channels, and what it got. */
interface Reader {
  readonly id: string;
  readonly transport: SimulatedTransport;
  /** Everything but comments, as one text of bytes. */
  text(): string;
}

type Subscribe = ActorsDeps['log']['subscribe'];

/** A core that serves plain Pub/Sub channels; `subscribe` stands between it and its broker. */
function serve(options: CoreOptions & { readonly format?: PubSubFormat } = {}) {
  const core = createCore({
    ...options,
    deps: {
      protocol: pubSubProtocol(options.format ?? 'sse'),
      feed: { kind: 'pubsub' },
      gcIntervalMs: GC_MS,
      ...options.deps,
    },
  });
  const { actors, broker } = core;

  function read(...channels: string[]): Reader {
    const frames: Buffer[] = [];
    let transport: SimulatedTransport | undefined;
    const id = actors.sockets.open({
      peer: PEER,
      channels,
      lastId: undefined,
      credentialLifetimeMs: undefined,
      connect(_, listener) {
        transport = new SimulatedTransport(
          actors.routing.budget,
          listener,
          (frame) => void frames.push(frame),
        );
        return transport;
      },
    });
    return {
      id,
      transport: transport as SimulatedTransport,
      text: () => Buffer.concat(frames).toString('latin1').replaceAll(':\n\n', ''),
    };
  }

  return {
    ...core,
    read,
    /** Answers how many connections heard it. */
    async publish(channel: string, data: string | Buffer): Promise<number> {
      const count = await broker.log.publish(channel, Buffer.from(data as string));
      await settled();
      return count;
    },
    leave({ transport }: Reader): void {
      transport.terminate();
    },
  };
}

/** As the broker's, but a channel may be refused. */
function refusing(subscribe: Subscribe, isRefused: (channel: string) => boolean): Subscribe {
  return async (channels, listener) => {
    const subscriber = await subscribe(channels, listener);
    return {
      ...subscriber,
      async add(channel) {
        if (isRefused(channel)) throw REFUSAL;
        return subscriber.add(channel);
      },
    };
  };
}

describe('a feed of Pub/Sub channels', () => {
  test('subscribes a channel once, however many read it, and brings each of them every message', async () => {
    const core = serve();
    await core.start();
    const readers = [core.read('clock'), core.read('clock'), core.read('clock', 'news')];
    await settled();
    expect(await core.publish('clock', '1')).toBe(1);
    expect(await core.publish('news', 'x\ny')).toBe(1);
    expect(await core.publish('other', 'no')).toBe(0);
    for (const { transport } of readers) transport.flush();
    expect(readers.map(({ text }) => text())).toEqual([
      'data: 1\n\n',
      'data: 1\n\n',
      'data: 1\n\ndata: x\ndata: y\n\n',
    ]);
  });

  test('brings raw bytes as they are, and no empty message', async () => {
    const core = serve({ format: 'raw' });
    await core.start();
    const reader = core.read('bytes');
    await settled();
    const bytes = Buffer.from([0, 255, 13, 10, 128]);
    for (const data of [bytes, Buffer.alloc(0), bytes]) await core.publish('bytes', data);
    reader.transport.flush();
    expect(reader.text()).toBe(Buffer.concat([bytes, bytes]).toString('latin1'));
  });

  test('unsubscribes a channel when it is collected, and not before', async () => {
    const core = serve();
    await core.start();
    const [clock, news] = [core.read('clock'), core.read('news')];
    await settled();
    core.leave(clock);
    await core.clock.advance(GC_MS - 1);
    expect(await core.publish('clock', '1')).toBe(1);
    await core.clock.advance(1);
    expect([await core.publish('clock', '2'), await core.publish('news', '3')]).toEqual([0, 1]);
    expect(core.actors.channels.size).toBe(1);
    core.leave(news);
    await core.clock.advance(GC_MS);
    expect([await core.publish('news', '4'), core.actors.channels.size]).toEqual([0, 0]);
  });

  test('subscribes a channel again for the next reader, who hears no gap', async () => {
    const core = serve();
    await core.start();
    core.leave(core.read('clock'));
    await core.clock.advance(GC_MS);
    const reader = core.read('clock');
    await settled();
    await core.publish('clock', '1');
    reader.transport.flush();
    expect(reader.text()).toBe('data: 1\n\n');
  });

  test('has what came when the broker is ready before it is', async () => {
    const core = serve();
    const reader = core.read('clock');
    await settled();
    expect(await core.publish('clock', 'early')).toBe(0);
    await core.start();
    expect(await core.publish('clock', '1')).toBe(1);
    reader.transport.flush();
    expect(reader.text()).toBe('data: 1\n\n');
  });

  test('lets the first reader in while it connects, for whom it was made', async () => {
    const core = serve();
    expect(core.actors.isAccepting()).toBe(false);
    core.actors.start();
    expect([core.actors.isReady(), core.actors.isAccepting()]).toEqual([false, true]);
    await settled();
    expect([core.actors.isReady(), core.actors.isAccepting()]).toEqual([true, true]);
  });

  test('that cannot connect lets nobody in, and tells the first reader of what he missed', async () => {
    const core = serve();
    core.broker.outage(true);
    core.actors.start();
    const reader = core.read('clock');
    await settled();
    expect(core.actors.isAccepting()).toBe(false);
    core.broker.outage(false);
    await core.clock.advance(5_000);
    expect([core.actors.isAccepting(), await core.publish('clock', '1')]).toEqual([true, 1]);
    reader.transport.flush();
    expect(reader.text()).toBe(`${GAP}data: 1\n\n`);
  });

  describe('that loses its connection', () => {
    test('keeps its readers, and tells them once they can hear again that they missed something', async () => {
      const core = serve();
      await core.start();
      const reader = core.read('clock');
      await settled();
      await core.publish('clock', '1');
      core.broker.outage(true);
      await settled();
      expect([core.actors.isReady(), core.actors.isAccepting()]).toEqual([false, false]);
      await core.clock.advance(3_000);
      reader.transport.flush();
      // Not yet: what is published until it can hear again would be missed unsaid.
      expect(reader.text()).toBe('data: 1\n\n');
      core.broker.outage(false);
      await core.clock.advance(5_000);
      expect([core.actors.isReady(), await core.publish('clock', '2')]).toEqual([true, 1]);
      reader.transport.flush();
      expect(reader.text()).toBe(`data: 1\n\n${GAP}data: 2\n\n`);
      expect(reader.transport.isClosed).toBe(false);
      expect(core.metrics.of('signalbox.gaps lossy')).toBe(1);
    });

    test('tells raw readers nothing, who would take it for a message', async () => {
      const core = serve({ format: 'raw' });
      await core.start();
      const reader = core.read('clock');
      await settled();
      core.broker.outage(true);
      core.broker.outage(false);
      await core.clock.advance(5_000);
      await core.publish('clock', '2');
      reader.transport.flush();
      expect(reader.text()).toBe('2');
    });

    test('attaches who came meanwhile as soon as there is a connection, and not later', async () => {
      const core = serve();
      await core.start();
      core.broker.outage(true);
      await settled();
      const reader = core.read('clock');
      await core.clock.advance(10_000);
      core.broker.outage(false);
      let waitedMs = 0;
      for (; !core.actors.isReady(); waitedMs += 10) await core.clock.advance(10);
      expect(waitedMs).toBeLessThanOrEqual(5_000);
      expect(await core.publish('clock', '1')).toBe(1);
      reader.transport.flush();
      expect(reader.text()).toContain('data: 1\n\n');
    });

    test('forgets the channels that nobody reads', async () => {
      const core = serve();
      await core.start();
      core.leave(core.read('clock'));
      await settled();
      core.broker.outage(true);
      await settled();
      expect(core.actors.channels.size).toBe(0);
      core.broker.outage(false);
      await core.clock.advance(5_000);
      expect(await core.publish('clock', '1')).toBe(0);
    });

    test('says that something was missed before the first message, though that arrives first', async () => {
      const listeners: Listener[] = [];
      const core = serve({
        deps: {
          feed: {
            kind: 'pubsub',
            from: {
              async subscribe(_, listener): Promise<Subscriber> {
                listeners.push(listener);
                return {
                  async add(channel) {
                    // In the packet that confirms it, as Redis may send it.
                    listener.message(channel, Buffer.from(`${listeners.length}`));
                  },
                  remove() {},
                  close() {},
                };
              },
            },
          },
        },
      });
      await core.start();
      const reader = core.read('clock');
      await settled();
      listeners[0]?.lost(new Error('the line was cut'));
      await core.clock.advance(5_000);
      reader.transport.flush();
      expect(reader.text()).toBe(`data: 1\n\n${GAP}data: 2\n\n`);
    });
  });

  describe('that is refused a channel', () => {
    test('asks again while somebody wants it, later and later, and serves the others', async () => {
      const asked: number[] = [];
      let isRefused = true;
      const core = serve();
      const { log } = core.broker;
      const subscribe = log.subscribe.bind(log);
      log.subscribe = refusing(subscribe, (channel) => {
        if (channel !== 'private') return false;
        asked.push(core.clock.now());
        return isRefused;
      });
      const startMs = core.clock.now();
      await core.start();
      const [reader, other] = [core.read('private'), core.read('public')];
      await settled();
      await core.clock.advance(30_000);
      // Half of the longest pause each: full jitter, and a random number that is always a half.
      const pausesMs = asked.map((atMs, at) => atMs - (asked[at - 1] ?? startMs));
      expect(pausesMs.slice(0, 8)).toEqual([0, 100, 200, 400, 800, 1_600, 2_500, 2_500]);
      expect(core.reported.filter(([name]) => name === 'channelRefused')).toHaveLength(asked.length);
      await core.publish('public', '1');
      other.transport.flush();
      expect(other.text()).toBe('data: 1\n\n');
      reader.transport.answer();
      isRefused = false;
      await core.clock.advance(5_000);
      await core.publish('private', '2');
      reader.transport.flush();
      expect(reader.text()).toBe(`${GAP}data: 2\n\n`);
    });

    test('stops asking when nobody wants it any more', async () => {
      let asked = 0;
      const core = serve();
      const { log } = core.broker;
      log.subscribe = refusing(log.subscribe.bind(log), () => {
        asked += 1;
        return true;
      });
      await core.start();
      const reader = core.read('private');
      await core.clock.advance(1_000);
      core.leave(reader);
      await settled();
      const before = asked;
      await core.clock.advance(GC_MS);
      expect([core.actors.channels.size, asked]).toEqual([0, before]);
      expect(before).toBeGreaterThan(1);
    });
  });

  describe('with a reader that is slow', () => {
    const limits = {
      maxSocketBufferBytes: 200,
      window: { maxEvents: 30, maxBytes: 100_000, maxAgeMs: 60_000 },
    };
    const publishMany = async (core: ReturnType<typeof serve>, count: number) => {
      for (let number = 0; number < count; number += 1) await core.publish('clock', `${number}`.padEnd(40));
    };
    const messages = (count: number) =>
      Array.from({ length: count }, (_, number) => `data: ${`${number}`.padEnd(40)}\n\n`);
    const flushAll = async ({ transport }: Reader) => {
      transport.isReading = true;
      do {
        transport.flush();
        await settled();
      } while (transport.bufferedBytes > 0);
    };

    test('catches it up from the window', async () => {
      const core = serve({ limits });
      await core.start();
      const reader = core.read('clock');
      await settled();
      reader.transport.isReading = false;
      await publishMany(core, 25);
      await flushAll(reader);
      expect(reader.text()).toBe(messages(25).join(''));
      expect(core.metrics.of('signalbox.gaps lossy')).toBe(0);
    });

    test('tells it what fell out of the window, between what was before and what comes after', async () => {
      const core = serve({ limits });
      await core.start();
      const reader = core.read('clock');
      await settled();
      reader.transport.isReading = false;
      await publishMany(core, 100);
      await flushAll(reader);
      const [before = '', after = ''] = reader.text().split(GAP);
      const all = messages(100).join('');
      expect([all.startsWith(before), all.endsWith(after)]).toEqual([true, true]);
      expect(after).toBe(messages(100).slice(-30).join(''));
      expect(core.metrics.of('signalbox.gaps lossy')).toBe(1);
    });
  });

  test('that is stopped leaves no subscription behind', async () => {
    const core = serve();
    await core.start();
    core.read('clock');
    await settled();
    core.actors.sockets.terminate();
    core.actors.stop();
    await settled();
    expect([await core.publish('clock', '1'), core.actors.channels.size]).toEqual([0, 0]);
  });
});
