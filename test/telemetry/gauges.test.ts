import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { startGauges } from '../../src/telemetry/gauges.ts';
import { Recorder } from '../../src/telemetry/recorder.ts';
import { createCore } from '../support/core.ts';

const BIG = 'x'.repeat(11_000);

describe('the gauges', () => {
  afterEach(() => {
    jest.useRealTimers();
  });

  const gauged = async () => {
    const core = createCore();
    await core.start();
    const metrics = new Recorder();
    let isReady = true;
    const feeds = { all: [core.actors], superset: core.actors, native: createCore().actors };
    const measure = (): Readonly<Record<string, number>> => {
      startGauges(metrics, feeds, () => isReady)();
      return metrics.figures.gauges;
    };
    const become = (ready: boolean): void => {
      isReady = ready;
    };
    return { core, measure, become };
  };

  test('count sockets by what they are doing, and channels too', async () => {
    const { core, measure } = await gauged();
    core.open({ channels: ['d'] });
    core.open({ channels: ['d'] });
    const slow = core.open();
    slow.transport.isReading = false;
    await core.publish('c', BIG);
    await core.publish('c', BIG);
    expect(measure()).toMatchObject({
      'signalbox.sockets live': 2,
      'signalbox.sockets replaying': 1,
      'signalbox.sockets stale': 0,
      'signalbox.channels live': 2,
    });
    slow.transport.isConfirming = false;
    core.actors.sockets.close(slow.id, 'drain');
    expect(measure()).toMatchObject({ 'signalbox.sockets closing': 1, 'signalbox.sockets replaying': 0 });
  });

  test('say of each feed whether it is read', async () => {
    const { core, measure } = await gauged();
    expect(measure()).toMatchObject({
      'signalbox.readers superset live': 1,
      'signalbox.readers superset stale': 0,
      'signalbox.readers native live': 0,
    });
    core.broker.outage(true);
    await core.publish('c').catch(() => {});
    await core.start().catch(() => {});
    expect(measure()['signalbox.readers superset stale']).toBe(1);
  });

  test('say whether it is ready', async () => {
    const { measure, become } = await gauged();
    expect(measure()['signalbox.ready']).toBe(1);
    become(false);
    expect(measure()['signalbox.ready']).toBe(0);
  });

  test('are measured at once, every second, and no more when they are ended', async () => {
    jest.useFakeTimers();
    const { all, superset, native } = { all: [], superset: undefined, native: createCore().actors };
    let asked = 0;
    const stop = startGauges(new Recorder(), { all, superset, native }, () => {
      asked += 1;
      return true;
    });
    expect(asked).toBe(1);
    jest.advanceTimersByTime(3_000);
    expect(asked).toBe(4);
    stop();
    jest.advanceTimersByTime(3_000);
    expect(asked).toBe(4);
  });
});
