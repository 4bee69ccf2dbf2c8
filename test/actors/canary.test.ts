import { describe, expect, jest, test } from '@jest/globals';
import type { CanarySettings } from '../../src/actors/canary.ts';
import type { Batch, Firehose } from '../../src/broker/ports.ts';
import { ZERO_ID } from '../../src/event/stream-id.ts';
import { supersetRealtimeProtocol } from '../../src/protocol/superset/socket-protocol.ts';
import { type Core, createCore } from '../support/core.ts';
import { settled } from '../support/heap-clock.ts';

const INTERVAL_MS = 15_000;
const TOLERANCE_MS = 10_000;
const BLOCK_MS = 5_000;
/** In which a reader that is deaf must have been found so, whatever its trouble is. */
const FOUND_MS = INTERVAL_MS * 1.25 + 3 * TOLERANCE_MS + BLOCK_MS;
const HOUR_MS = 3_600_000;

function watched(canary: Partial<CanarySettings> = {}, deps = {}): Core {
  const settings = { name: 'native', intervalMs: INTERVAL_MS, toleranceMs: TOLERANCE_MS } as const;
  // Its sockets answer no pings.
  return createCore({ times: { pingIntervalMs: 0 }, deps: { ...deps, canary: { ...settings, ...canary } } });
}

const NOTHING: Batch = { entries: [], trimmed: false, isFull: false };

/** What becomes of the reads of the firehoses that are opened from now on, while they are deaf. */
function deafen(
  core: Core,
  read: (firehose: Firehose, blockMs: number) => Promise<Batch>,
): { hears: boolean } {
  const state = { hears: true };
  const open = core.broker.log.openFirehose.bind(core.broker.log);
  jest.spyOn(core.broker.log, 'openFirehose').mockImplementation(async (signal) => {
    const firehose = await open(signal);
    return {
      // A server that does not have what is published elsewhere says so of itself.
      head: async () => ({ ...(await firehose.head()), ...(state.hears ? {} : { lastId: position(core) }) }),
      read: (after, options) =>
        state.hears ? firehose.read(after, options) : read(firehose, options.blockMs),
      readBack: (options) => firehose.readBack(options),
      close: () => firehose.close(),
    };
  });
  return state;
}

const position = ({ actors }: Core) => actors.routing.fanOut.position;

/** Another server than the one that is published to: it answers, and has nothing. */
const elsewhere = (core: Core) => (_: Firehose, blockMs: number) =>
  new Promise<Batch>((resolve) => core.clock.setTimeout(() => resolve(NOTHING), Math.max(1, blockMs)));

/** A line on which no answer comes to a read that waits, and no end. */
const swallowed = (firehose: Firehose, blockMs: number): Promise<Batch> =>
  blockMs > 0 ? new Promise(() => {}) : firehose.read(ZERO_ID, { count: 1, blockMs });

const alarms = ({ reported }: Core) =>
  reported.map(([name]) => name).filter((name) => name === 'readerDeaf' || name === 'readerHearing');

/** Publishes without waiting for it to be routed. */
const publish = async ({ broker }: Core): Promise<void> =>
  void (await broker.log.append('c', Buffer.from('{"channel_id":"c","data":1}')));

describe('a process whose reader is connected and hears nothing', () => {
  const deafened = async (): Promise<{ core: Core; line: { hears: boolean } }> => {
    const core = watched();
    const line = deafen(core, elsewhere(core));
    await core.start();
    line.hears = false;
    // The read that waits is still one that hears.
    await core.publish('c');
    await publish(core);
    return { core, line };
  };

  test('is not ready, says what it compared, and shows it in the figures', async () => {
    const { core } = await deafened();
    expect([core.actors.isReady(), core.metrics.of('signalbox.deaf native')]).toEqual([true, 0]);
    const at = position(core);
    const end = await core.broker.log.lastId();
    await core.clock.advance(FOUND_MS);
    expect([core.actors.isReady(), core.metrics.of('signalbox.deaf native')]).toEqual([false, 1]);
    const look = {
      standing: 'behind',
      progress: `${core.actors.routing.fanOut.epoch} ${at}`,
      position: at,
      end,
    };
    expect(core.reported.filter(([name]) => name === 'readerDeaf')).toEqual([['readerDeaf', look]]);
  });

  test('lets sockets in all the same: they are told everything once it hears', async () => {
    const { core } = await deafened();
    await core.clock.advance(FOUND_MS);
    expect(core.actors.isAccepting()).toBe(true);
  });

  test('says so once, however long it lasts, and connects anew again and again', async () => {
    const { core } = await deafened();
    await core.clock.advance(FOUND_MS);
    const opened = jest.mocked(core.broker.log.openFirehose).mock.calls.length;
    await core.clock.advance(HOUR_MS);
    expect(alarms(core)).toEqual(['readerDeaf']);
    expect(core.metrics.of('signalbox.readers_deaf native')).toBe(1);
    const attempts = jest.mocked(core.broker.log.openFirehose).mock.calls.length - opened;
    expect(attempts).toBeGreaterThan(100);
    expect(attempts).toBeLessThan(HOUR_MS / INTERVAL_MS + 10);
  });

  test('is not called stale as well', async () => {
    const { core } = await deafened();
    await core.clock.advance(FOUND_MS + HOUR_MS);
    expect(core.reported.map(([name]) => name)).not.toContain('readerStale');
    expect(core.metrics.of('signalbox.reader_stale')).toBe(0);
  });

  test('heals when a new connection hears: everything arrives, once, in order', async () => {
    const { core, line } = await deafened();
    const client = core.open();
    await core.clock.advance(FOUND_MS);
    await publish(core);
    line.hears = true;
    await core.clock.advance(INTERVAL_MS * 1.25 + 1_000);
    expect([core.actors.isReady(), core.metrics.of('signalbox.deaf native')]).toEqual([true, 0]);
    expect(alarms(core)).toEqual(['readerDeaf', 'readerHearing']);
    client.transport.flush();
    expect(client.received).toHaveLength(2);
    expect(position(core)).toBe(await core.broker.log.lastId());
  });

  test('and loses its broker as well, is stale: that is said when it is found out', async () => {
    const { core } = await deafened();
    await core.clock.advance(FOUND_MS);
    core.broker.outage(true);
    await core.clock.advance(HOUR_MS);
    expect(alarms(core)).toEqual(['readerDeaf']);
    expect(core.reported.filter(([name]) => name === 'readerStale')).toHaveLength(1);
  });
});

test('a reader whose reads are never answered is deaf although nothing is published, and connects anew', async () => {
  const core = watched();
  const line = deafen(core, swallowed);
  await core.start();
  line.hears = false;
  await core.clock.advance(BLOCK_MS + FOUND_MS);
  const [alarm, healed] = core.reported.filter(
    ([name]) => name.startsWith('readerDeaf') || name === 'readerHearing',
  );
  expect(alarm).toEqual(['readerDeaf', expect.objectContaining({ standing: 'silent' })]);
  expect(healed).toEqual(['readerHearing']);
});

test('a reader that waits where the log has never been is deaf, after the log has lost its data', async () => {
  const core = watched();
  const line = deafen(core, elsewhere(core));
  await core.start();
  await core.publish('c');
  line.hears = false;
  await core.clock.advance(BLOCK_MS);
  core.broker.loseData();
  await core.clock.advance(FOUND_MS);
  expect(core.reported.find(([name]) => name === 'readerDeaf')?.[1]).toMatchObject({ standing: 'beyond' });
  line.hears = true;
  await core.clock.advance(INTERVAL_MS * 1.25 + 1_000);
  expect(alarms(core)).toEqual(['readerDeaf', 'readerHearing']);
  expect(core.reported.map(([name]) => name)).toContain('epochChanged');
});

describe('a healthy process is never called deaf', () => {
  test('while nothing is published', async () => {
    const core = watched();
    await core.start();
    await core.clock.advance(HOUR_MS);
    expect([alarms(core), core.actors.isReady()]).toEqual([[], true]);
  });

  test('while more is published than it can read in time', async () => {
    const core = watched();
    // It gets on, and is behind all the time.
    const slow = deafen(core, async (firehose) => {
      await new Promise<void>((resolve) => core.clock.setTimeout(resolve, 1_000));
      return firehose.read(position(core), { count: 1, blockMs: 0 });
    });
    await core.start();
    slow.hears = false;
    for (let second = 0; second < 300; second += 1) {
      for (let n = 0; n < 5; n += 1) await publish(core);
      await core.clock.advance(1_000);
    }
    expect(position(core)).not.toBe(await core.broker.log.lastId());
    expect([alarms(core), core.actors.isReady()]).toEqual([[], true]);
  });

  test.each<[string, (core: Core) => void]>([
    ['lost its data', ({ broker }) => broker.loseData()],
    ['was trimmed to nothing', ({ broker }) => broker.trim(undefined, 0)],
    ['was away for a moment', ({ broker }) => (broker.outage(true), broker.outage(false))],
  ])('when the broker %s, again and again', async (_, happen) => {
    const core = watched();
    await core.start();
    for (let n = 0; n < 100; n += 1) {
      await publish(core);
      happen(core);
      await core.clock.advance(7_000);
    }
    expect([alarms(core), core.actors.isReady()]).toEqual([[], true]);
  });

  test('while its broker is away: it is stale, which is another alarm', async () => {
    const core = watched();
    await core.start();
    await publish(core);
    core.broker.outage(true);
    await core.clock.advance(HOUR_MS);
    core.broker.outage(false);
    await core.clock.advance(HOUR_MS);
    expect([alarms(core), core.actors.isReady()]).toEqual([[], true]);
  });

  test('when it ends', async () => {
    const core = watched();
    await core.start();
    core.actors.stop();
    await publish(core);
    await core.clock.advance(HOUR_MS);
    expect(alarms(core)).toEqual([]);
  });
});

describe('what the canary publishes to a log', () => {
  const publishing = (): { core: Core; published: () => number } => {
    let count = 0;
    let core: Core | undefined;
    core = watched({
      publish: async () => {
        count += 1;
        return (core as Core).broker.log.append('canary', Buffer.from('{"channel_id":"canary"}'));
      },
    });
    return { core, published: () => count };
  };

  test('is one event an interval, while somebody is here and nothing else is published; and is timed', async () => {
    const { core, published } = publishing();
    await core.start();
    core.open();
    await core.clock.advance(HOUR_MS);
    expect(published()).toBeGreaterThan(100);
    expect(published()).toBeLessThanOrEqual(HOUR_MS / INTERVAL_MS);
    expect(core.metrics.of('signalbox.canary_ms native')).toBeGreaterThanOrEqual(0);
    expect(alarms(core)).toEqual([]);
  });

  test('is nothing while nobody is here', async () => {
    const { core, published } = publishing();
    await core.start();
    await core.clock.advance(HOUR_MS);
    expect(published()).toBe(0);
  });

  test('is nothing while others publish', async () => {
    const { core, published } = publishing();
    await core.start();
    core.open();
    for (let n = 0; n < 100; n += 1) {
      await core.publish('c');
      await core.clock.advance(INTERVAL_MS / 2);
    }
    expect(published()).toBe(0);
  });

  test('shows that a quiet reader is deaf before anybody misses an event', async () => {
    const { core, published } = publishing();
    const line = deafen(core, elsewhere(core));
    await core.start();
    core.open();
    await core.clock.advance(INTERVAL_MS * 1.25);
    line.hears = false;
    await core.clock.advance(BLOCK_MS + 2 * FOUND_MS);
    expect(core.actors.isReady()).toBe(false);
    const before = published();
    await core.clock.advance(HOUR_MS);
    expect(published()).toBe(before);
  });

  test('is given up, with one word, where the broker does not let it', async () => {
    let asked = 0;
    const core = watched({
      publish: async () => {
        asked += 1;
        throw new Error("NOPERM this user has no permissions to run the 'eval' command");
      },
    });
    await core.start();
    core.open();
    await core.clock.advance(HOUR_MS);
    expect(asked).toBe(1);
    expect(core.reported.filter(([name]) => name === 'canaryRefused')).toHaveLength(1);
    expect([alarms(core), core.actors.isReady()]).toEqual([[], true]);
  });
});

describe('a reader of plain Pub/Sub', () => {
  const realtime = (canary: Partial<CanarySettings> = { echoChannel: 'own' }): Core =>
    watched(
      { name: 'superset', ...canary },
      {
        feed: { kind: 'realtime', channel: 'realtime' },
        protocol: supersetRealtimeProtocol({ onRepaired() {} }),
      },
    );
  /** The server takes what is published, and passes nothing on to the connection that there is. */
  const deaf = (core: Core): { hears: boolean } => {
    const state = { hears: true };
    const publishTo = core.broker.log.publish.bind(core.broker.log);
    jest
      .spyOn(core.broker.log, 'publish')
      .mockImplementation(async (channel, payload) => (state.hears ? publishTo(channel, payload) : 0));
    return state;
  };

  test('is deaf when what is published to it does not come, and hears again when it does', async () => {
    const core = realtime();
    const line = deaf(core);
    await core.start();
    await core.clock.advance(HOUR_MS);
    expect([alarms(core), core.actors.isReady()]).toEqual([[], true]);
    line.hears = false;
    await core.clock.advance(FOUND_MS);
    expect([core.actors.isReady(), core.actors.isAccepting()]).toEqual([false, false]);
    expect(core.metrics.of('signalbox.deaf superset')).toBe(1);
    await core.clock.advance(HOUR_MS);
    expect(alarms(core)).toEqual(['readerDeaf']);
    line.hears = true;
    await core.clock.advance(INTERVAL_MS * 1.25 + TOLERANCE_MS);
    expect(alarms(core)).toEqual(['readerDeaf', 'readerHearing']);
    expect([core.actors.isReady(), core.actors.isAccepting()]).toEqual([true, true]);
  });

  test('tells its sockets, when it is given up, that they may have missed something', async () => {
    const core = realtime();
    const line = deaf(core);
    await core.start();
    const { id } = core.open({ channels: ['user:1'] });
    line.hears = false;
    await core.clock.advance(FOUND_MS);
    await settled();
    expect(core.actors.sockets.actorOf(id)).toBeUndefined();
    expect(core.metrics.of('signalbox.sockets_closed lossy')).toBe(1);
  });

  test('hears its own echo on the line, not what others published meanwhile on theirs', async () => {
    const core = realtime();
    await core.start();
    const { id } = core.open({ channels: ['user:1'] });
    await core.clock.advance(HOUR_MS);
    expect(core.actors.sockets.actorOf(id)).toBeDefined();
    expect(core.metrics.of('signalbox.events_routed')).toBe(0);
    expect(core.reported.map(([name]) => name)).toEqual(['readerLive']);
  });

  test('is not watched where nothing may be published', async () => {
    const core = realtime({});
    const line = deaf(core);
    await core.start();
    line.hears = false;
    await core.clock.advance(HOUR_MS);
    expect([alarms(core), core.actors.isReady()]).toEqual([[], true]);
  });
});
