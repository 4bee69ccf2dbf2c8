import { EventEmitter } from 'node:events';
import { describe, expect, test } from '@jest/globals';
import { type Figures, NO_FIGURES } from '../../src/telemetry/figures.ts';
import type { FromWorker, ToWorker } from '../../src/workers/messages.ts';
import { PrimaryLink } from '../../src/workers/primary-link.ts';
import { loaded, secret } from '../config/loading.ts';
import { HeapClock, settled } from '../support/heap-clock.ts';

const task = { worker: 2, loaded: loaded({ env: { JWT_SECRET: secret } }) };

const setUp = () => {
  const clock = new HeapClock();
  const process = new EventEmitter();
  const said: FromWorker[] = [];
  let tell: (message: ToWorker) => void = () => {};
  let disconnect: () => void = () => {};
  const link = new PrimaryLink({
    channel: {
      send: (message) => said.push(structuredClone(message)),
      onMessage: (take) => {
        tell = take;
      },
      onDisconnect: (run) => {
        disconnect = run;
      },
    },
    process,
    clock,
  });
  const orders: string[] = [];
  const supervise = (): void => {
    for (const name of ['SIGTERM', 'SIGINT']) link.process.on(name, (order: string) => orders.push(order));
  };
  const reports = () => said.filter((message) => message.type === 'state.reported');
  return { clock, process, said, link, orders, supervise, reports, tell, disconnect };
};

describe("a worker's link to its primary", () => {
  test('says that it listens, and has what the answer brings', async () => {
    const { link, said, tell } = setUp();
    expect(said).toEqual([{ type: 'worker.booted' }]);
    tell({ type: 'server.start', ...task });
    expect(await link.task).toEqual(task);
  });

  test('tells how the start went', () => {
    const { link, said } = setUp();
    link.started({ host: '::', port: 8080 });
    link.failed(Object.assign(new Error('no'), { code: 'EACCES' }));
    expect(said.slice(1)).toEqual([
      { type: 'port.bound', host: '::', port: 8080 },
      { type: 'start.failed', message: 'no', code: 'EACCES' },
    ]);
  });

  describe('drains once', () => {
    const orders: readonly [string, (set: ReturnType<typeof setUp>) => void][] = [
      ['when it is told to', ({ tell }) => tell({ type: 'server.drain' })],
      ['on a SIGTERM of its own', ({ process }) => process.emit('SIGTERM', 'SIGTERM')],
      ['when the primary is gone', ({ disconnect }) => disconnect()],
    ];

    test.each(orders)('%s, whatever comes after it', (_, order) => {
      const set = setUp();
      set.supervise();
      order(set);
      expect(set.orders).toHaveLength(1);
      for (const [, other] of orders) other(set);
      expect(set.orders).toHaveLength(1);
    });

    test.each(orders)('%s, also before it is supervised', (_, order) => {
      const set = setUp();
      order(set);
      set.supervise();
      expect(set.orders).toHaveLength(1);
    });

    test.each(orders)('%s, and has nothing to serve before it was started', async (_, order) => {
      const set = setUp();
      order(set);
      expect(await set.link.task).toBeUndefined();
    });
  });

  test("leaves the terminal's SIGINT to the primary", () => {
    const { process, orders, supervise } = setUp();
    supervise();
    process.emit('SIGINT', 'SIGINT');
    expect(orders).toEqual([]);
    expect(process.listenerCount('SIGINT')).toBe(1);
  });

  test('hands bugs to whoever supervises', () => {
    const { process, link } = setUp();
    const bugs: unknown[] = [];
    link.process.on('uncaughtException', (error) => bugs.push(error));
    process.emit('uncaughtException', 'a bug');
    expect(bugs).toEqual(['a bug']);
  });

  test('reports at once when it becomes ready or stops to be, and every second with its figures', () => {
    const { clock, link, reports } = setUp();
    let isReady = false;
    link.reportOn(() => isReady);
    const figures = { ...NO_FIGURES, gauges: { 'signalbox.lag_ms': 3 } };
    link.measureBy({ figures: () => figures, share: async () => ({ figures }) });
    isReady = true;
    clock.increment(200);
    expect(reports().map((report) => report.isReady)).toEqual([false, true]);
    clock.increment(2_000);
    expect(reports()).toHaveLength(4);
    expect(reports().at(-1)).toEqual({
      type: 'state.reported',
      isReady: true,
      figures,
    });
  });

  test('has the others for ready when the primary says so, and not when it has said nothing for a while', () => {
    const { clock, link, tell } = setUp();
    link.reportOn(() => true);
    expect(link.areOthersReady()).toBe(false);
    tell({ type: 'readiness.decided', areAllReady: true });
    clock.increment(4_000);
    expect(link.areOthersReady()).toBe(true);
    clock.increment(2_000);
    expect(link.areOthersReady()).toBe(false);
    tell({ type: 'readiness.decided', areAllReady: true });
    expect(link.areOthersReady()).toBe(true);
    tell({ type: 'readiness.decided', areAllReady: false });
    expect(link.areOthersReady()).toBe(false);
  });

  describe('where figures are wanted', () => {
    const figures: Figures = { ...NO_FIGURES, counters: { 'signalbox.events_routed': 3 } };

    test('gives its own, under the id that it was asked with', async () => {
      const { link, said, tell } = setUp();
      link.measureBy({ figures: () => figures, share: async () => ({ figures, process: [] }) });
      tell({ type: 'figures.wanted', id: 9 });
      await settled();
      expect(said.at(-1)).toEqual({ type: 'figures.given', id: 9, share: { figures, process: [] } });
    });

    test('gives what it has although the system says nothing of the process', async () => {
      const { link, said, tell } = setUp();
      link.measureBy({ figures: () => figures, share: () => Promise.reject(new Error('no /proc')) });
      tell({ type: 'figures.wanted', id: 9 });
      await settled();
      expect(said.at(-1)).toEqual({ type: 'figures.given', id: 9, share: { figures } });
    });

    test('asks the primary for those of all, and has the answer to its own question', async () => {
      const { link, said, tell } = setUp();
      const first = link.gather();
      const second = link.gather();
      const ids = said.flatMap((message) => (message.type === 'figures.asked' ? [message.id] : []));
      expect(new Set(ids).size).toBe(2);
      tell({ type: 'figures.gathered', id: ids[1] as number, shares: [] });
      tell({ type: 'figures.gathered', id: ids[0] as number, shares: [{ figures }] });
      expect(await first).toEqual([{ figures }]);
      expect(await second).toEqual([]);
    });

    test('says that it has none when the primary does not answer', async () => {
      const { clock, link, said, tell } = setUp();
      const failure = link.gather().catch(String);
      clock.increment(2_000);
      expect(await failure).toBe('Error: the primary did not answer');
      const asked = said.at(-1);
      // Too late: it does nothing.
      if (asked?.type === 'figures.asked') tell({ type: 'figures.gathered', id: asked.id, shares: [] });
    });
  });
});
