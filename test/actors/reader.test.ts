import { describe, expect, jest, test } from '@jest/globals';
import { type Core, createCore } from '../support/core.ts';
import { settled } from '../support/heap-clock.ts';

/** When each connection to the broker was tried, on the core's clock. */
function attemptsOf({ broker, clock }: Core): number[] {
  const atMs: number[] = [];
  const open = broker.log.openFirehose.bind(broker.log);
  jest.spyOn(broker.log, 'openFirehose').mockImplementation((signal) => {
    atMs.push(clock.now());
    return open(signal);
  });
  return atMs;
}

const pausesOf = (atMs: readonly number[]): number[] =>
  atMs.slice(1).map((ms, at) => ms - (atMs[at] as number));
const reportsOf = ({ reported }: Core): string[] => reported.map(([name]) => name);

describe('a reader', () => {
  test('is ready once it has caught up', async () => {
    const core = createCore();
    expect([core.actors.isReady(), core.actors.isAccepting()]).toEqual([false, false]);
    await core.start();
    expect([core.actors.isReady(), core.actors.isAccepting()]).toEqual([true, true]);
    expect(reportsOf(core)).toEqual(['readerLive']);
  });

  test('waits for a broker that comes later, and lets nobody in before', async () => {
    const core = createCore();
    core.broker.outage(true);
    await core.start();
    await core.clock.advance(60_000);
    expect([core.actors.isReady(), core.actors.isAccepting()]).toEqual([false, false]);
    core.broker.outage(false);
    await core.clock.advance(5_000);
    expect([core.actors.isReady(), core.actors.isAccepting()]).toEqual([true, true]);
    expect(reportsOf(core)).toEqual(['readerStale', 'readerLive']);
  });

  describe('that loses its broker', () => {
    test('says so once, with why, however often it then tries', async () => {
      const core = createCore();
      await core.start();
      const attempts = attemptsOf(core);
      core.broker.outage(true);
      await core.clock.advance(60_000);
      expect(attempts.length).toBeGreaterThan(10);
      expect(core.reported).toEqual([['readerLive'], ['readerStale', 'the memory broker is in an outage']]);
      expect(core.metrics.of('signalbox.reader_stale')).toBe(1);
    });

    test('is not ready, but lets sockets in: they will be told everything once it is back', async () => {
      const core = createCore();
      await core.start();
      core.broker.outage(true);
      await settled();
      expect([core.actors.isReady(), core.actors.isAccepting()]).toEqual([false, true]);
    });

    test('tries again after pauses that double up to five seconds', async () => {
      const core = createCore({ deps: { random: () => 1 } });
      await core.start();
      const attempts = attemptsOf(core);
      core.broker.outage(true);
      await core.clock.advance(60_000);
      expect(pausesOf(attempts).slice(0, 6)).toEqual([400, 800, 1_600, 3_200, 5_000, 5_000]);
    });

    test('goes on from where it was: nothing that was published meanwhile is lost', async () => {
      const core = createCore();
      await core.start();
      const client = core.open();
      const before = await core.publish('c');
      core.broker.outage(true);
      await settled();
      core.broker.outage(false);
      const meanwhile = [await core.publish('c'), await core.publish('c')];
      expect(core.actors.isReady()).toBe(false);
      await core.clock.advance(5_000);
      client.transport.flush();
      expect(client.received.map(({ id }) => id)).toEqual([before, ...meanwhile]);
    });

    test('says so again in the next outage', async () => {
      const core = createCore();
      await core.start();
      for (let round = 0; round < 2; round += 1) {
        core.broker.outage(true);
        await settled();
        core.broker.outage(false);
        await core.clock.advance(10_000);
      }
      const [live, stale] = ['readerLive', 'readerStale'];
      expect(reportsOf(core)).toEqual([live, stale, live, stale, live]);
    });
  });

  describe('the pauses of a reader', () => {
    /** Lost again after having been live for `liveMs`, five times. */
    async function flap(liveMs: number): Promise<number[]> {
      const core = createCore({ deps: { random: () => 1 } });
      await core.start();
      const attempts = attemptsOf(core);
      const pauses: number[] = [];
      for (let round = 0; round < 5; round += 1) {
        await core.clock.advance(liveMs);
        core.broker.outage(true);
        await settled();
        core.broker.outage(false);
        const fromMs = core.clock.now();
        const { length } = attempts;
        while (attempts.length === length) await core.clock.advance(50);
        pauses.push((attempts.at(-1) as number) - fromMs);
      }
      return pauses;
    }

    test('go on growing while a connection does not last', async () => {
      expect(await flap(4_000)).toEqual([200, 400, 800, 1_600, 3_200]);
    });

    test('begin anew once it has been live for five seconds', async () => {
      expect(await flap(5_000)).toEqual([200, 200, 200, 200, 200]);
    });
  });

  test('that was stopped connects no more, and reports nothing', async () => {
    const core = createCore();
    await core.start();
    const attempts = attemptsOf(core);
    core.actors.stop();
    core.broker.outage(true);
    await core.clock.advance(60_000);
    expect([attempts, reportsOf(core), core.actors.isReady()]).toEqual([[], ['readerLive'], false]);
  });

  test('that was stopped while it waited connects no more', async () => {
    const core = createCore();
    core.broker.outage(true);
    await core.start();
    core.actors.stop();
    const attempts = attemptsOf(core);
    core.broker.outage(false);
    await core.clock.advance(60_000);
    expect([attempts, core.actors.isReady()]).toEqual([[], false]);
  });
});

describe('a router that crashes', () => {
  test('is reported, and nothing is ready any more nor lets anybody in', async () => {
    const core = createCore();
    await core.start();
    const bug = new Error('a bug');
    const route = jest.spyOn(core.actors.routing.fanOut, 'route').mockImplementation(() => {
      throw bug;
    });
    await core.publish('c');
    expect(core.reported).toContainEqual(['crashed', bug]);
    expect([core.actors.isReady(), core.actors.isAccepting()]).toEqual([false, false]);
    // Nothing would ever move its position: the reader would read the same batch for ever.
    await core.publish('c');
    expect(route).toHaveBeenCalledTimes(1);
  });
});
