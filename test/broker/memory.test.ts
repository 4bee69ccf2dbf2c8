import { describe, expect, jest, test } from '@jest/globals';
import { createMemoryBroker, type MemoryBrokerOptions } from '../../src/broker/memory/memory-broker.ts';
import { systemClock } from '../../src/clock.ts';
import { payloadOf } from '../../src/event/entry.ts';
import { compareIds, type StreamId, ZERO_ID } from '../../src/event/stream-id.ts';
import { describeControl, describeEventLog, describeOnce, describeRevocations, native } from './contract.ts';
import { describeNativeLog } from './native-contract.ts';

const HISTORY = { maxLength: 1000, maxAgeSeconds: 86_400, firehoseMaxLength: 10_000 };

describeEventLog('memory', async () => {
  const broker = createMemoryBroker({ clock: systemClock, history: HISTORY });
  return {
    log: broker.log,
    trim: async (channel, keep) => broker.trim(channel, keep),
    close: () => broker.close(),
  };
});

const nativeUnderTest = async () => {
  const broker = createMemoryBroker({ clock: systemClock, history: HISTORY });
  return {
    log: broker.native,
    other: broker.native,
    trim: async (channel: string | undefined, keep: number) => broker.native.trim(channel, keep),
    close: () => broker.close(),
  };
};
describeEventLog('memory, native', nativeUnderTest, native({ forgets: false }));
describeNativeLog('memory', nativeUnderTest);

describeControl('memory', async () => {
  const broker = createMemoryBroker({ clock: systemClock, history: HISTORY });
  return { one: broker.control, two: broker.control, close: () => broker.close() };
});

describeRevocations('memory', async () => {
  const broker = createMemoryBroker({ clock: systemClock, history: HISTORY });
  return { one: broker.revocations, two: broker.revocations, close: () => broker.close() };
});

describeOnce('memory', async () => {
  const broker = createMemoryBroker({ clock: systemClock, history: HISTORY });
  return { one: broker.once, two: broker.once, close: () => broker.close() };
});

/** A clock that stands still until it is moved. */
class StandingClock {
  #nowMs: number;
  readonly #timers = new Map<number, { at: number; run: () => void }>();
  #next = 1;

  constructor(nowMs: number) {
    this.#nowMs = nowMs;
  }

  now() {
    return this.#nowMs;
  }

  setTimeout(run: () => void, delayMs: number) {
    this.#timers.set(this.#next, { at: this.#nowMs + delayMs, run });
    this.#next += 1;
    return this.#next - 1;
  }

  clearTimeout(timer: unknown) {
    this.#timers.delete(timer as number);
  }

  get pending() {
    return this.#timers.size;
  }

  set(nowMs: number) {
    this.#nowMs = nowMs;
    for (const [timer, { at, run }] of this.#timers) {
      if (at > nowMs) continue;
      this.#timers.delete(timer);
      run();
    }
  }
}

const START = 1_700_000_000_000;
const text = (value: string) => Buffer.from(value);

function standing(history: Partial<MemoryBrokerOptions['history']> = {}, nowMs = START) {
  const clock = new StandingClock(nowMs);
  const broker = createMemoryBroker({ clock, history: { ...HISTORY, ...history } });
  return {
    clock,
    broker,
    log: broker.log,
    open: () => broker.log.openFirehose(new AbortController().signal),
  };
}

const retained = async (log: ReturnType<typeof standing>['log'], channel: string) =>
  (await log.range(channel, ZERO_ID, undefined, 1e9)).entries.map((entry) => `${payloadOf(entry)}`);
const firehosed = async (open: ReturnType<typeof standing>['open']) =>
  (await (await open()).read(ZERO_ID, { count: 1e9, blockMs: 0 })).entries.map(
    (entry) => `${payloadOf(entry)}`,
  );

describe('memory broker', () => {
  describe('ids', () => {
    test('are the milliseconds of the clock and a sequence, and go on where the clock steps back', async () => {
      const { clock, log } = standing();
      const ids = [await log.append('a', text('1')), await log.append('b', text('2'))];
      clock.set(START + 5);
      ids.push(await log.append('a', text('3')));
      clock.set(START - 60_000);
      ids.push(await log.append('a', text('4')));
      expect(ids).toEqual([`${START}-0`, `${START}-1`, `${START + 5}-0`, `${START + 5}-1`]);
    });

    test('increase under a clock with fractions, and never are 0-0', async () => {
      const { clock, log } = standing({}, 0);
      const ids = [ZERO_ID, await log.append('a', text('1'))];
      clock.set(0.7);
      ids.push(await log.append('a', text('2')), await log.append('a', text('3')));
      for (let at = 1; at < ids.length; at += 1) {
        expect(compareIds(ids[at - 1] as StreamId, ids[at] as StreamId)).toBeLessThan(0);
      }
    });
  });

  describe('a blocking read', () => {
    test('ends with the clock, not before, and leaves no timer', async () => {
      const { clock, open } = standing();
      const firehose = await open();
      const done = jest.fn();
      const reading = firehose.read(ZERO_ID, { count: 10, blockMs: 5000 }).then(done);
      clock.set(START + 4999);
      await Promise.resolve();
      expect(done).not.toHaveBeenCalled();
      clock.set(START + 5000);
      await reading;
      expect(done).toHaveBeenCalledWith({ entries: [], trimmed: false, isFull: false });
      expect(clock.pending).toBe(0);
    });

    test('is answered in the turn of the append, and leaves no timer', async () => {
      const { clock, log, open } = standing();
      const firehose = await open();
      const order: string[] = [];
      const reading = firehose.read(ZERO_ID, { count: 10, blockMs: 5000 }).then((batch) => {
        order.push('read');
        return batch;
      });
      const appending = log.append('a', text('1')).then(() => order.push('appended'));
      expect((await reading).entries.map((entry) => `${payloadOf(entry)}`)).toEqual(['1']);
      await appending;
      expect(order).toEqual(['read', 'appended']);
      expect(clock.pending).toBe(0);
    });
  });

  describe('what is kept', () => {
    test('is bounded by length, of a channel and of the firehose apart', async () => {
      const { log, open } = standing({ maxLength: 2, firehoseMaxLength: 4 });
      for (let at = 1; at <= 6; at += 1) await log.append(at === 1 ? 'quiet' : 'loud', text(`${at}`));
      expect(await retained(log, 'quiet')).toEqual(['1']);
      expect(await retained(log, 'loud')).toEqual(['5', '6']);
      expect(await firehosed(open)).toEqual(['3', '4', '5', '6']);
    });

    test('is bounded by age, without anything being appended', async () => {
      const { clock, log, open } = standing({ maxAgeSeconds: 10 });
      const old = await log.append('a', text('old'));
      clock.set(START + 5000);
      await log.append('a', text('young'));
      clock.set(START + 10_001);
      expect(await retained(log, 'a')).toEqual(['young']);
      expect(await firehosed(open)).toEqual(['young']);
      clock.set(START + 20_000);
      expect(await log.range('a', old, undefined, 10)).toEqual({ entries: [], trimmed: true });
      expect(await log.lastId()).not.toBe(ZERO_ID);
    });

    test('is bounded by bytes, the oldest of all channels going first', async () => {
      const { log, open } = standing({ maxBytes: 40_000 });
      for (let at = 0; at < 10; at += 1)
        await log.append(at % 2 === 0 ? 'even' : 'odd', Buffer.alloc(7000, `${at}`));
      expect((await retained(log, 'even')).map((payload) => payload[0])).toEqual(['6', '8']);
      expect((await retained(log, 'odd')).map((payload) => payload[0])).toEqual(['5', '7', '9']);
      expect((await firehosed(open)).map((payload) => payload[0])).toEqual(['5', '6', '7', '8', '9']);
    });

    test('is right after a hundred thousand entries over loud, quiet and dead channels', async () => {
      const { clock, log, open } = standing({ maxLength: 3, firehoseMaxLength: 500, maxAgeSeconds: 50 });
      for (let at = 0; at < 100_000; at += 1) {
        clock.set(START + at);
        await log.append(at % 100 === 0 ? `brief${at}` : `loud${at % 7}`, text(`${at}`));
      }
      expect(await firehosed(open)).toEqual(Array.from({ length: 500 }, (_, at) => `${99_500 + at}`));
      expect(await retained(log, 'brief99900')).toEqual(['99900']);
      expect(await retained(log, 'brief40000')).toEqual([]);
      expect((await log.range('brief40000', ZERO_ID, undefined, 1)).trimmed).toBe(true);
      expect((await log.range('brief40000', `${START + 40_000}-0` as StreamId, undefined, 1)).trimmed).toBe(
        false,
      );
    });
  });

  describe('trimmed', () => {
    test('is exact at the boundary: not for who has read the last one removed', async () => {
      const { broker, log, open } = standing();
      const ids: StreamId[] = [];
      for (let at = 0; at < 5; at += 1) ids.push(await log.append('a', text(`${at}`)));
      broker.trim('a', 2);
      broker.trim(undefined, 2);
      const firehose = await open();
      for (const [at, trimmed] of [true, true, false, false].entries()) {
        expect((await log.range('a', ids[at] as StreamId, undefined, 10)).trimmed).toBe(trimmed);
        expect((await firehose.read(ids[at] as StreamId, { count: 10, blockMs: 0 })).trimmed).toBe(trimmed);
      }
    });
  });

  describe('in an outage', () => {
    test('everything rejects, what was open is lost for good, and the data is there afterwards', async () => {
      const { broker, log, open } = standing();
      const id = await log.append('a', text('1'));
      const firehose = await open();
      const lost = jest.fn();
      await log.subscribe(['a'], { message: () => {}, lost });
      const reading = firehose.read(id, { count: 10, blockMs: 5000 });
      broker.outage(true);
      await expect(reading).rejects.toMatchObject({ code: 'lost' });
      expect(lost).toHaveBeenCalledTimes(1);
      await expect(open()).rejects.toMatchObject({ code: 'unavailable' });
      await expect(log.append('a', text('2'))).rejects.toMatchObject({ code: 'unavailable' });
      await expect(log.range('a', ZERO_ID, undefined, 1)).rejects.toMatchObject({ code: 'unavailable' });
      await expect(broker.control.send(1)).rejects.toMatchObject({ code: 'unavailable' });
      await expect(broker.once.claim('a', 1)).rejects.toMatchObject({ code: 'unavailable' });
      broker.outage(false);
      await expect(firehose.head()).rejects.toMatchObject({ code: 'lost' });
      expect((await (await open()).head()).lastId).toBe(id);
      expect(lost).toHaveBeenCalledTimes(1);
    });
  });

  describe('when the data is lost', () => {
    test('the epoch is another, ids begin anew, and an open firehose stays deaf beyond the new top', async () => {
      const { clock, broker, log, open } = standing();
      const id = await log.append('a', text('1'));
      await broker.once.claim('key', 1000);
      const firehose = await open();
      const before = await firehose.head();
      broker.loseData();
      const after = await firehose.head();
      expect(after.epoch).not.toBe(before.epoch);
      expect(after.lastId).toBe(ZERO_ID);
      expect(await log.range('a', ZERO_ID, undefined, 1)).toEqual({ entries: [], trimmed: false });
      expect(await broker.once.claim('key', 1000)).toBe(true);
      const reading = firehose.read(id, { count: 1, blockMs: 10 });
      expect(await log.append('a', text('2'))).toBe(id);
      clock.set(START + 10);
      expect((await reading).entries).toEqual([]);
    });
  });
});
