import { describe, expect, test } from '@jest/globals';
import { createLogged } from '../support/logged.ts';
import { SimulatedClock } from 'xstate';
import { createDemoPublisher, DEMO_CHANNEL, type DemoPublisher } from '../../src/demo/publisher.ts';

describe('demo publisher', () => {
  test('sends nothing before a page was opened', async () => {
    const { advance, events } = start();
    await advance(120_000);
    expect(events).toEqual([]);
  });

  test('sends five events a second, numbered from 1, while the page is watched', async () => {
    const { publisher, advance, events } = start({ isWatched: () => true });
    publisher.opened();
    await advance(10_000);
    expect(events.map(({ n }) => n)).toEqual(Array.from({ length: 51 }, (_, at) => at + 1));
    expect(new Set(events.map(({ run }) => run)).size).toBe(1);
  });

  test('goes on for a minute after the last page has gone, and then stops by itself', async () => {
    let watched = true;
    const { publisher, advance, events, clock } = start({ isWatched: () => watched });
    publisher.opened();
    await advance(1_000);
    watched = false;
    await advance(60_000);
    expect(events.length).toBe(306);
    await advance(1_000);
    expect(events.length).toBe(306);
    expect(clock.pending()).toBe(0);
  });

  test('goes on with the next number when a page is opened again', async () => {
    let watched = true;
    const { publisher, advance, events } = start({ isWatched: () => watched });
    publisher.opened();
    await advance(200);
    watched = false;
    await advance(120_000);
    const last = events.at(-1)?.n ?? 0;
    publisher.opened();
    await advance(0);
    expect(events.at(-1)?.n).toBe(last + 1);
  });

  test('is not doubled by a second page', async () => {
    const { publisher, advance, events } = start({ isWatched: () => true });
    publisher.opened();
    publisher.opened();
    await advance(400);
    publisher.opened();
    await advance(600);
    expect(events.length).toBe(6);
  });

  test('a publish that fails uses up no number and is logged once', async () => {
    let away = true;
    const { publisher, advance, events, logged } = start({ isWatched: () => true, isAway: () => away });
    publisher.opened();
    await advance(1_000);
    away = false;
    await advance(400);
    expect(events.map(({ n }) => n)).toEqual([1, 2]);
    expect(logged.length).toBe(1);
  });

  test('close ends it for good', async () => {
    const { publisher, advance, events, clock } = start({ isWatched: () => true });
    publisher.opened();
    await advance(200);
    publisher.close();
    publisher.opened();
    await advance(10_000);
    expect(events.length).toBe(2);
    expect(clock.pending()).toBe(0);
  });
});

interface Numbered {
  readonly run: string;
  readonly n: number;
}

interface Started {
  readonly publisher: DemoPublisher;
  readonly clock: CountingClock;
  readonly events: Numbered[];
  readonly logged: readonly object[];
  advance(ms: number): Promise<void>;
}

/** A simulated clock that knows how many timers are pending. */
class CountingClock extends SimulatedClock {
  readonly #timers = new Set<number>();
  override setTimeout(callback: () => void, delayMs: number): number {
    const timer = super.setTimeout(() => {
      this.#timers.delete(timer);
      callback();
    }, delayMs);
    this.#timers.add(timer);
    return timer;
  }
  override clearTimeout(timer: number): void {
    this.#timers.delete(timer);
    super.clearTimeout(timer);
  }
  pending(): number {
    return this.#timers.size;
  }
}

function start(options: { isWatched?: () => boolean; isAway?: () => boolean } = {}): Started {
  const clock = new CountingClock();
  const events: Numbered[] = [];
  const { logger, logged } = createLogged();
  const publisher = createDemoPublisher({
    logger,
    clock: {
      now: () => clock.now(),
      setTimeout: (callback, delayMs) => clock.setTimeout(callback, delayMs),
      clearTimeout: (timer) => clock.clearTimeout(timer as number),
    },
    isWatched: options.isWatched ?? (() => false),
    publish: async (channel, payload) => {
      expect(channel).toBe(DEMO_CHANNEL);
      if (options.isAway?.() === true) throw new Error('away');
      events.push((JSON.parse(payload.toString()) as { data: Numbered }).data);
    },
  });
  return {
    publisher,
    clock,
    events,
    logged,
    async advance(ms) {
      // In steps, because each tick is scheduled only once the publish before it has resolved.
      for (let passed = 0; passed <= ms; passed += 100) {
        if (passed > 0) clock.increment(100);
        for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
        clock.increment(0);
      }
    },
  };
}
