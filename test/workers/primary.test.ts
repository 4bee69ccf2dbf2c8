import { describe, expect, test } from '@jest/globals';
import type { LoadedConfig } from '../../src/config/loaded.ts';
import type { Log } from '../../src/supervision.ts';
import { type Figures, mergeFigures, NO_FIGURES } from '../../src/telemetry/figures.ts';
import { Recorder } from '../../src/telemetry/recorder.ts';
import type { Share } from '../../src/telemetry/telemetry.ts';
import type { FromWorker, ToWorker } from '../../src/workers/messages.ts';
import { createPrimary } from '../../src/workers/primary.ts';
import type { End, WorkerListener } from '../../src/workers/slot.ts';
import { loaded, secret } from '../config/loading.ts';
import { HeapClock, settled } from '../support/heap-clock.ts';

/** A process that is none: what it is told, and what it tells. */
class SimulatedWorker {
  readonly pid: number;
  readonly heard: ToWorker[] = [];
  isKilled = false;
  readonly #listener: WorkerListener;

  constructor(pid: number, listener: WorkerListener) {
    this.pid = pid;
    this.#listener = listener;
  }

  send(message: ToWorker): void {
    this.heard.push(message);
  }

  kill(): void {
    this.isKilled = true;
  }

  tell(message: FromWorker): void {
    this.#listener.told(message);
  }

  end(end: Partial<End>): void {
    this.#listener.ended({ code: null, signal: null, ...end });
  }

  boot(): void {
    this.tell({ type: 'worker.booted' });
    this.tell({ type: 'port.bound', host: '127.0.0.1', port: 8080 });
    this.report(true);
  }

  report(isReady: boolean, figures: Partial<Figures> = {}): void {
    this.tell({ type: 'state.reported', isReady, figures: { ...NO_FIGURES, ...figures } });
  }

  /** The id of the question for its figures that it was asked last. */
  get wanted(): number | undefined {
    return this.heard.findLast((message) => message.type === 'figures.wanted')?.id;
  }

  give(figures: Partial<Figures>): void {
    const share = { figures: { ...NO_FIGURES, ...figures } };
    this.tell({ type: 'figures.given', id: this.wanted as number, share });
  }

  /** The figures of all that it was given last, added up. */
  get gathered(): Figures | undefined {
    const shares = this.gatheredShares;
    return shares && mergeFigures(shares.map(({ figures }) => figures));
  }

  get gatheredShares(): readonly Share[] | undefined {
    return this.heard.findLast((message) => message.type === 'figures.gathered')?.shares;
  }

  get isToDrain(): boolean {
    return this.heard.some(({ type }) => type === 'server.drain');
  }

  /** The last that it was told of all of them. */
  get areAllReady(): boolean | undefined {
    return this.heard.findLast((message) => message.type === 'readiness.decided')?.areAllReady;
  }

  get task(): LoadedConfig['config'] | undefined {
    return this.heard.find((message) => message.type === 'server.start')?.loaded.config;
  }
}

const setUp = (count = 2) => {
  const clock = new HeapClock();
  const metrics = new Recorder();
  const workers: SimulatedWorker[] = [];
  const lines: string[] = [];
  const write = (level: string) => (_: object, text: string) => lines.push(`${level} ${text}`);
  const log: Log = { info: write('info'), warn: write('warn'), error: write('error'), fatal: write('fatal') };
  const primary = createPrimary({
    count,
    loaded: loaded({ env: { JWT_SECRET: secret, MAX_TOTAL_CONNECTIONS: '5', SIGNALBOX_DRAIN_MS: '1000' } }),
    fork: (listener) => {
      const worker = new SimulatedWorker(100 + workers.length, listener);
      workers.push(worker);
      return worker;
    },
    clock,
    random: () => 0.999_999,
    log,
    telemetry: { metrics, close: async () => {} },
  });
  const workerAt = (index: number): SimulatedWorker => workers.at(index) as SimulatedWorker;
  /** Starts all of them. */
  const serving = async (): Promise<void> => {
    const started = primary.start();
    for (const worker of workers) worker.boot();
    await started;
  };
  return { primary, clock, metrics, workers, workerAt, lines, serving };
};

describe('the primary', () => {
  test('has started when every worker has bound the port, and gives each its share', async () => {
    const { primary, workers, workerAt } = setUp();
    let isStarted = false;
    const started = primary.start().then((address) => {
      isStarted = true;
      return address;
    });
    workerAt(0).boot();
    await settled();
    expect(isStarted).toBe(false);
    workerAt(1).boot();
    expect(await started).toEqual({ host: '127.0.0.1', port: 8080 });
    expect(workers.map(({ task }) => task?.maxTotalConnections)).toEqual([3, 2]);
  });

  test('rejects with the error of the first that cannot start, ends the others, and replaces nobody', async () => {
    const { primary, clock, workers, workerAt, lines } = setUp();
    const started = primary.start();
    workerAt(1).tell({ type: 'worker.booted' });
    workerAt(1).tell({ type: 'start.failed', message: 'listen EADDRINUSE', code: 'EADDRINUSE' });
    await expect(started).rejects.toMatchObject({ code: 'EADDRINUSE' });
    const stopped = primary.stop();
    // Only now can the other hear what it is to do.
    workerAt(0).tell({ type: 'worker.booted' });
    expect(workerAt(0).task).toBeUndefined();
    expect(workerAt(0).isToDrain).toBe(true);
    workerAt(0).end({ code: 0 });
    workerAt(1).end({ code: 1 });
    await stopped;
    await clock.advance(60_000);
    expect(await primary.ended).toBe(1);
    expect([workers.length, lines]).toEqual([2, []]);
  });

  test('rejects when a worker ends before it says anything', async () => {
    const { primary, workerAt } = setUp();
    const started = primary.start();
    workerAt(0).end({ signal: 'SIGKILL' });
    await expect(started).rejects.toThrow('worker 1 ended first, with SIGKILL');
  });

  describe('when a worker ends', () => {
    test('replaces it after a pause that doubles, and is short again when one has lived a while', async () => {
      const { clock, metrics, workers, workerAt, serving } = setUp();
      await serving();
      const pauses: number[] = [];
      for (let round = 0; round < 9; round += 1) {
        const count = workers.length;
        workerAt(-1).end({ code: 1 });
        const endedAtMs = clock.now();
        while (workers.length === count) clock.increment(10);
        pauses.push(clock.now() - endedAtMs);
      }
      expect(pauses).toEqual([200, 400, 800, 1600, 3200, 6400, 10_000, 10_000, 10_000]);
      expect(metrics.figures.counters['signalbox.workers_lost']).toBe(9);

      workerAt(-1).boot();
      clock.increment(10_000);
      const count = workers.length;
      workerAt(-1).end({ code: 1 });
      clock.increment(200);
      expect(workers.length).toBe(count + 1);
    });

    test('is not ready until the one that follows is', async () => {
      const { clock, workerAt, lines, serving } = setUp();
      await serving();
      expect(workerAt(0).areAllReady).toBe(true);
      workerAt(1).end({ signal: 'SIGKILL' });
      expect(workerAt(0).areAllReady).toBe(false);
      clock.increment(200);
      workerAt(2).tell({ type: 'worker.booted' });
      workerAt(2).tell({ type: 'port.bound', host: '127.0.0.1', port: 8080 });
      expect(workerAt(0).areAllReady).toBe(false);
      workerAt(2).report(true);
      expect([workerAt(0).areAllReady, workerAt(2).areAllReady]).toEqual([true, true]);
      expect(lines).toEqual([
        'error A worker ended unexpectedly and is replaced',
        'info A worker was replaced',
      ]);
    });
  });

  describe('is ready', () => {
    test('as long as all say that they are', async () => {
      const { workers, workerAt, serving } = setUp(3);
      await serving();
      workerAt(1).report(false);
      expect(workers.map(({ areAllReady }) => areAllReady)).toEqual([false, false, false]);
      workerAt(1).report(true);
      expect(workers.map(({ areAllReady }) => areAllReady)).toEqual([true, true, true]);
    });

    test('and not when one says nothing for five seconds', async () => {
      const { clock, workerAt, serving } = setUp();
      await serving();
      for (let second = 1; second <= 5; second += 1) {
        expect(workerAt(0).areAllReady).toBe(true);
        workerAt(0).report(true);
        clock.increment(1_000);
      }
      expect(workerAt(0).areAllReady).toBe(false);
      workerAt(1).report(true);
      expect(workerAt(0).areAllReady).toBe(true);
    });
  });

  test('kills one that says nothing for thirty seconds, so that it is replaced', async () => {
    const { clock, workerAt, lines, serving } = setUp();
    await serving();
    for (let second = 1; second <= 60; second += 1) {
      workerAt(0).report(true);
      clock.increment(1_000);
      expect(workerAt(1).isKilled).toBe(second >= 30);
    }
    expect(workerAt(0).isKilled).toBe(false);
    expect(lines).toEqual(['error A worker has been stuck for too long and is killed']);
  });

  test('sends the gauges of all as one', async () => {
    const { clock, metrics, workerAt, serving } = setUp();
    await serving();
    workerAt(0).report(true, { gauges: { 'signalbox.sockets live': 3, 'signalbox.lag_ms': 20 } });
    workerAt(1).report(true, { gauges: { 'signalbox.sockets live': 4, 'signalbox.lag_ms': 5 } });
    clock.increment(1_000);
    expect(metrics.figures.gauges).toMatchObject({ 'signalbox.sockets live': 7, 'signalbox.lag_ms': 20 });
    workerAt(1).end({ code: 1 });
    clock.increment(1_000);
    expect(metrics.figures.gauges).toMatchObject({ 'signalbox.sockets live': 3, 'signalbox.lag_ms': 20 });
  });

  describe('when a worker asks for the figures of all', () => {
    const routed = (events: number): Partial<Figures> => ({
      counters: { 'signalbox.events_routed': events },
      gauges: { 'signalbox.buffered_bytes': events },
    });
    const asking = async () => {
      const set = setUp();
      await set.serving();
      const { workerAt } = set;
      workerAt(0).report(true, routed(10));
      workerAt(1).report(true, routed(20));
      const ask = (): void => workerAt(0).tell({ type: 'figures.asked', id: 5 });
      const total = (): number | undefined => workerAt(0).gathered?.counters['signalbox.events_routed'];
      return { ...set, ask, total };
    };

    test('asks all of them, and answers when all have', async () => {
      const { workerAt, ask, total } = await asking();
      ask();
      workerAt(0).give(routed(11));
      expect(total()).toBeUndefined();
      workerAt(1).give(routed(22));
      expect(total()).toBe(33);
      expect(workerAt(0).gathered?.gauges['signalbox.buffered_bytes']).toBe(33);
      expect(workerAt(1).gathered).toBeUndefined();
    });

    test('gives its own counters with them, and none of its gauges', async () => {
      const { clock, metrics, workerAt, ask } = await asking();
      clock.increment(1_000);
      expect(metrics.figures.gauges['signalbox.buffered_bytes']).toBe(30);
      metrics.count('signalbox.workers_lost', 2);
      ask();
      workerAt(0).give(routed(11));
      workerAt(1).give(routed(22));
      expect(workerAt(0).gathered).toMatchObject({
        counters: { 'signalbox.workers_lost': 2 },
        gauges: { 'signalbox.buffered_bytes': 33 },
      });
    });

    test('waits a second for one that says nothing: its counters are those of its last report', async () => {
      const { clock, workerAt, ask, total } = await asking();
      ask();
      workerAt(0).give(routed(11));
      clock.increment(999);
      expect(total()).toBeUndefined();
      clock.increment(1);
      expect(total()).toBe(31);
      expect(workerAt(0).gathered).toMatchObject({
        counters: { 'signalbox.workers_unanswered': 1 },
        gauges: { 'signalbox.buffered_bytes': 11 },
      });
      // Too late, and for nobody.
      workerAt(1).give(routed(22));
      expect(total()).toBe(31);
    });

    test('loses nothing of those that have ended, nor what they were last heard to have', async () => {
      const { clock, workers, workerAt, ask, total } = await asking();
      ask();
      workerAt(0).give(routed(11));
      workerAt(1).give(routed(25));
      workerAt(1).end({ code: 1 });
      clock.increment(1_000);
      const next = workers.at(-1) as SimulatedWorker;
      next.boot();
      next.report(true, routed(2));
      ask();
      workerAt(0).give(routed(12));
      next.give(routed(3));
      expect(total()).toBe(40);
      expect(workerAt(0).gathered?.gauges['signalbox.buffered_bytes']).toBe(15);
    });

    test('does not wait for one that ends meanwhile', async () => {
      const { workerAt, ask, total } = await asking();
      ask();
      workerAt(0).give(routed(11));
      workerAt(1).end({ code: 1 });
      expect(total()).toBe(31);
    });

    test('does not ask one that has not begun', async () => {
      const { clock, workers, workerAt, ask, total } = await asking();
      workerAt(1).end({ code: 1 });
      clock.increment(1_000);
      const next = workers.at(-1) as SimulatedWorker;
      ask();
      workerAt(0).give(routed(11));
      expect(next.wanted).toBeUndefined();
      expect(total()).toBe(31);
    });
  });

  describe('when it stops', () => {
    test('drains all, waits for them, and ends with 0', async () => {
      const { primary, clock, workers, workerAt, serving } = setUp();
      await serving();
      let isStopped = false;
      const stopped = primary.stop().then(() => {
        isStopped = true;
      });
      expect(workers.map(({ isToDrain }) => isToDrain)).toEqual([true, true]);
      workerAt(0).end({ code: 0 });
      await settled();
      expect(isStopped).toBe(false);
      workerAt(1).end({ signal: 'SIGTERM' });
      await stopped;
      await clock.advance(60_000);
      expect([await primary.ended, workers.length]).toEqual([0, 2]);
    });

    test('starts nobody whose pause has not passed', async () => {
      const { primary, clock, workers, workerAt, serving } = setUp();
      await serving();
      workerAt(1).end({ code: 1 });
      const stopped = primary.stop();
      workerAt(0).end({ code: 0 });
      await stopped;
      await clock.advance(60_000);
      expect(workers).toHaveLength(2);
    });

    test('kills who does not end in time, and ends with 1', async () => {
      const { primary, clock, workerAt, serving } = setUp();
      await serving();
      const stopped = primary.stop();
      workerAt(0).end({ code: 0 });
      await clock.advance(8_999);
      expect(workerAt(1).isKilled).toBe(false);
      await clock.advance(1);
      expect(workerAt(1).isKilled).toBe(true);
      workerAt(1).end({ signal: 'SIGKILL' });
      await stopped;
      expect(await primary.ended).toBe(1);
    });
  });
});
