import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, afterEach, describe, expect, test } from '@jest/globals';
import { type Entry, payloadOf as plainPayloadOf } from '../../src/event/entry.ts';
import { nativeFields, nativeFieldsOf } from '../../src/event/native-entry.ts';
import {
  compareIds,
  nextId,
  parseStreamId,
  previousId,
  type StreamId,
  streamId,
  ZERO_ID,
} from '../../src/event/stream-id.ts';
import type { Control, EventLog, Once, Revocation, Revocations } from '../../src/broker/ports.ts';

/**
 * What every broker owes, whatever it is made of. `make` gives an empty one; brokers made by one call of
 * `make` share their data, so that two instances of an installation can be tried against each other.
 */

/** A log and what the world does to it. */
export interface LogUnderTest {
  readonly log: EventLog;
  /** Removes the oldest entries of a channel's stream, or of the firehose (undefined), until `keep` are left. */
  trim(channel: string | undefined, keep: number): Promise<void>;
  close(): Promise<void>;
}

/** What a log's entries look like, and what it knows of channels that are gone. */
export interface LogForm {
  /** The fields that `append` gives the first entry of a channel. */
  fieldsOf(channel: string, payload: Buffer): Buffer[];
  payloadOf(entry: Entry): Buffer;
  /**
   * True for a log in which a channel that nobody published to for long is as if it had never been: of an old
   * position it cannot know that nothing was trimmed.
   */
  readonly forgets: boolean;
}

/** Of Superset's streams, and of what stands for them. */
const PLAIN: LogForm = {
  fieldsOf: (_, payload) => [Buffer.from('data'), payload],
  payloadOf: plainPayloadOf,
  forgets: false,
};

/** Of native logs. */
export const native = (how: { readonly forgets: boolean }): LogForm => ({
  fieldsOf: (channel, payload) => nativeFields(channel, undefined, payload, ZERO_ID),
  payloadOf: (entry) => nativeFieldsOf(entry).data ?? Buffer.alloc(0),
  ...how,
});

/** Two instances of one installation. */
export interface Pair<Port> {
  readonly one: Port;
  readonly two: Port;
  close(): Promise<void>;
}

const MIB = 1024 * 1024;
const ODD_NAMES = [
  '__proto__',
  'constructor',
  'toString',
  'a b',
  'line\nbreak',
  'ä☃\u{1f682}',
  '{a}',
  '*',
  'x'.repeat(200),
];

/** Less than the time a test has, so that it is this that says what did not happen. */
const PATIENCE_MS = 4000;

/** Waits for a condition that another party brings about; throws with the last value when it does not come. */
async function until<T>(probe: () => Promise<T> | T, holds: (value: T) => boolean): Promise<T> {
  for (const end = Date.now() + PATIENCE_MS; ; ) {
    const value = await probe();
    if (holds(value)) return value;
    if (Date.now() > end) throw new Error(`never held: ${holds} of ${JSON.stringify(value)}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const text = (value: string) => Buffer.from(value);
const never = () => new AbortController().signal;

/** A position that is older than anything a test publishes, and younger than a log forgets. */
const recently = () => streamId(Date.now() - 3_600_000, 0);

export function describeEventLog(
  name: string,
  make: () => Promise<LogUnderTest>,
  { fieldsOf, payloadOf, forgets }: LogForm = PLAIN,
): void {
  describe(`event log contract: ${name}`, () => {
    let subject: LogUnderTest;
    let log: EventLog;

    beforeEach(async () => {
      subject = await make();
      log = subject.log;
    });
    afterEach(() => subject.close());

    const publish = async (channel: string, ...payloads: string[]) => {
      const ids: StreamId[] = [];
      for (const payload of payloads) ids.push(await log.append(channel, text(payload)));
      return ids;
    };
    const open = () => log.openFirehose(never());
    const isTrimmed = async (channel: string, after: StreamId) =>
      (await log.range(channel, after, undefined, 10)).trimmed;
    const hear = async (...channels: string[]) => {
      const heard: [string, string][] = [];
      let lost = 0;
      const subscription = await log.subscribe(channels, {
        message: (channel, payload) => heard.push([channel, payload.toString('latin1')]),
        lost: () => {
          lost += 1;
        },
      });
      return { heard, lost: () => lost, subscription };
    };

    describe('head', () => {
      test('is 0-0 for a firehose that was never written to, with an epoch and the time', async () => {
        const head = await (await open()).head();
        expect(head.lastId).toBe(ZERO_ID);
        expect(head.epoch).not.toBe('');
        expect(Math.abs(head.nowMs - Date.now())).toBeLessThan(60_000);
        expect([await log.lastId(), await log.lastIdAfresh()]).toEqual([ZERO_ID, ZERO_ID]);
      });

      test('gives the last id, also when nothing is retained, and the same epoch every time', async () => {
        const firehose = await open();
        const before = await firehose.head();
        const ids = await publish('a', '1', '2');
        await subject.trim(undefined, 0);
        const after = await (await open()).head();
        expect(after.lastId).toBe(ids[1]);
        expect([await log.lastId(), await log.lastIdAfresh()]).toEqual([ids[1], ids[1]]);
        expect(after.epoch).toBe(before.epoch);
        expect((await firehose.head()).epoch).toBe(before.epoch);
      });
    });

    describe('append', () => {
      test('writes one entry under one id to the channel and the firehose, payload in the field data', async () => {
        const [id] = await publish('a', 'payload');
        const fields = fieldsOf('a', text('payload'));
        expect(await log.range('a', recently(), undefined, 10)).toEqual({
          entries: [{ id, fields }],
          trimmed: false,
        });
        const batch = await (await open()).read(ZERO_ID, { count: 10, blockMs: 0 });
        expect(batch).toEqual({ entries: [{ id, fields }], trimmed: false, isFull: expect.any(Boolean) });
      });

      test('keeps any bytes, and not what the caller does to its buffer afterwards', async () => {
        const payload = Buffer.from([0, 255, 10, 13, 128, 34]);
        await log.append('a', payload);
        payload.fill(1);
        const { entries } = await log.range('a', ZERO_ID, undefined, 10);
        expect(entries.map(payloadOf)).toEqual([Buffer.from([0, 255, 10, 13, 128, 34])]);
      });

      test('gives strictly increasing ids, the same in both streams, under 50 concurrent appenders', async () => {
        const appended = await Promise.all(
          Array.from({ length: 50 }, async (_, one) => {
            const ids: StreamId[] = [];
            for (let at = 0; at < 4; at += 1) ids.push(await log.append(`c${one % 5}`, text(`${one}.${at}`)));
            return ids;
          }),
        );
        for (const ids of appended) expectIncreasing(ids);
        const firehose = await readAll(await open());
        expectIncreasing(firehose.map((entry) => entry.id));
        expect(firehose).toHaveLength(200);
        for (let channel = 0; channel < 5; channel += 1) {
          const { entries } = await log.range(`c${channel}`, ZERO_ID, undefined, 1000);
          const ids = new Set(entries.map((entry) => entry.id));
          expect(ids.size).toBe(40);
          expect(firehose.filter((entry) => ids.has(entry.id))).toEqual(entries);
        }
      });

      test.each(ODD_NAMES)('a channel named %j is an ordinary channel', async (channel) => {
        await publish(channel, 'mine');
        await publish('other', 'not mine');
        const { entries } = await log.range(channel, ZERO_ID, undefined, 10);
        expect(entries.map((entry) => `${payloadOf(entry)}`)).toEqual(['mine']);
      });
    });

    describe('read', () => {
      test('gives what is after the position, in order, at most count of it', async () => {
        const ids = await publish('a', '1', '2', '3', '4');
        const firehose = await open();
        const batch = await firehose.read(ids[0] as StreamId, { count: 2, blockMs: 0 });
        expect(batch.entries.map((entry) => entry.id)).toEqual([ids[1], ids[2]]);
        expect(batch.trimmed).toBe(false);
      });

      test('says whether it brought as much as it may, so that more may be waiting', async () => {
        await publish('a', '1', '2', '3', '4', '5', '6', '7');
        const firehose = await open();
        let after: StreamId = ZERO_ID;
        const read: [number, boolean][] = [];
        for (let count = 0; count < 7 && read.reduce((sum, [of]) => sum + of, 0) < 7; count += 1) {
          const { entries, isFull } = await firehose.read(after, { count: 3, blockMs: 0 });
          after = entries.at(-1)?.id ?? after;
          read.push([entries.length, isFull]);
        }
        expect(read.at(-1)?.[1]).toBe(read.at(-1)?.[0] === 3);
        for (const [, isFull] of read.slice(0, -1)) expect(isFull).toBe(true);
      });

      test('with blockMs 0 answers at once with nothing', async () => {
        const [id] = await publish('a', '1');
        const batch = await (await open()).read(id as StreamId, { count: 10, blockMs: 0 });
        expect(batch).toEqual({ entries: [], trimmed: false, isFull: false });
      });

      test('ends empty when the block time has passed', async () => {
        const batch = await (await open()).read(ZERO_ID, { count: 10, blockMs: 30 });
        expect(batch).toEqual({ entries: [], trimmed: false, isFull: false });
      });

      test('waits for the first entry, and loses none between two reads', async () => {
        const firehose = await open();
        const reading = firehose.read(ZERO_ID, { count: 10, blockMs: 20_000 });
        const [first] = await publish('a', '1', '2', '3');
        const batch = await reading;
        expect(batch.trimmed).toBe(false);
        expect(batch.entries[0]?.id).toBe(first);
        const seen = [...batch.entries, ...(await readAll(firehose, batch.entries.at(-1)?.id))];
        expect(seen.map((entry) => `${payloadOf(entry)}`)).toEqual(['1', '2', '3']);
      });

      test('serves two readers alike', async () => {
        const [one, two] = [await open(), await open()];
        const reading = [one, two].map((firehose) => firehose.read(ZERO_ID, { count: 10, blockMs: 20_000 }));
        const [id] = await publish('a', '1');
        for (const batch of await Promise.all(reading))
          expect(batch.entries.map((entry) => entry.id)).toEqual([id]);
      });

      test('returns fewer entries rather than much more than 4 MiB', async () => {
        for (let at = 0; at < 12; at += 1) await log.append('a', Buffer.alloc(MIB, at));
        const firehose = await open();
        let position: StreamId = ZERO_ID;
        let count = 0;
        while (count < 12) {
          const { entries } = await firehose.read(position, { count: 1000, blockMs: 0 });
          expect(entries.length).toBeGreaterThan(0);
          expect(entries.length).toBeLessThanOrEqual(5);
          count += entries.length;
          position = entries.at(-1)?.id as StreamId;
        }
      });

      test('says that entries after the position were trimmed', async () => {
        const ids = await publish('a', '1', '2', '3', '4', '5');
        await subject.trim(undefined, 2);
        const batch = await (await open()).read(ids[0] as StreamId, { count: 10, blockMs: 0 });
        expect(batch.entries.map((entry) => entry.id)).toEqual([ids[3], ids[4]]);
        expect(batch.trimmed).toBe(true);
      });

      test('does not say so when only what is before the position was trimmed', async () => {
        const ids = await publish('a', '1', '2', '3', '4', '5');
        await subject.trim(undefined, 2);
        const batch = await (await open()).read(ids[3] as StreamId, { count: 10, blockMs: 0 });
        expect(batch).toMatchObject({ entries: [{ id: ids[4] }], trimmed: false });
      });

      test('never says so of a firehose that was never trimmed, whatever the position', async () => {
        const ids = await publish('a', '1', '2');
        const firehose = await open();
        for (const after of [
          ZERO_ID,
          '5-5' as StreamId,
          previousId(ids[0] as StreamId),
          nextId(ids[0] as StreamId),
        ]) {
          expect((await firehose.read(after, { count: 10, blockMs: 0 })).trimmed).toBe(false);
        }
      });

      test('goes on from the head of a firehose trimmed to nothing without a false alarm', async () => {
        await publish('a', '1', '2');
        await subject.trim(undefined, 0);
        const firehose = await open();
        const { lastId } = await firehose.head();
        await publish('a', '3');
        const batch = await firehose.read(lastId, { count: 10, blockMs: 0 });
        expect(batch.entries.map((entry) => `${payloadOf(entry)}`)).toEqual(['3']);
        expect(batch.trimmed).toBe(false);
      });

      test('raises the alarm when it is trimmed to nothing after the head was read', async () => {
        await publish('a', '1');
        const firehose = await open();
        const { lastId } = await firehose.head();
        await publish('a', '2');
        await subject.trim(undefined, 0);
        await publish('a', '3');
        expect((await firehose.read(lastId, { count: 10, blockMs: 0 })).trimmed).toBe(true);
      });

      test('rejects when the firehose is closed under it, and so does everything afterwards', async () => {
        const firehose = await open();
        const reading = firehose.read(ZERO_ID, { count: 10, blockMs: 20_000 });
        firehose.close();
        await expect(reading).rejects.toMatchObject({ code: 'closed' });
        await expect(firehose.head()).rejects.toMatchObject({ code: 'closed' });
        await expect(firehose.read(ZERO_ID, { count: 1, blockMs: 0 })).rejects.toMatchObject({
          code: 'closed',
        });
        await expect(firehose.readBack({ count: 1 })).rejects.toMatchObject({ code: 'closed' });
      });
    });

    describe('opening', () => {
      test('rejects when it was aborted before', async () => {
        await expect(log.openFirehose(AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough');
      });

      test('an abort afterwards closes it', async () => {
        const abort = new AbortController();
        const firehose = await log.openFirehose(abort.signal);
        const reading = firehose.read(ZERO_ID, { count: 10, blockMs: 20_000 });
        abort.abort();
        await expect(reading).rejects.toMatchObject({ code: 'closed' });
      });
    });

    describe('readBack', () => {
      test('gives the newest first, then what is before them, then nothing', async () => {
        const ids = await publish('a', '1', '2', '3', '4', '5');
        const firehose = await open();
        const newest = await firehose.readBack({ count: 2 });
        expect(newest.map((entry) => entry.id)).toEqual([ids[4], ids[3]]);
        const older = await firehose.readBack({ before: ids[3] as StreamId, count: 10 });
        expect(older.map((entry) => entry.id)).toEqual([ids[2], ids[1], ids[0]]);
        expect(await firehose.readBack({ before: ids[0] as StreamId, count: 10 })).toEqual([]);
        expect(await firehose.readBack({ before: ZERO_ID, count: 10 })).toEqual([]);
      });
    });

    describe('range', () => {
      test('gives (after, end] of its channel only, at most count', async () => {
        const ids: StreamId[] = [];
        for (const payload of ['1', '2', '3', '4', '5']) {
          ids.push(...(await publish('a', payload)));
          await publish('b', 'other');
        }
        const page = async (after: StreamId, end: StreamId | undefined, count: number) => {
          const { entries, trimmed } = await log.range('a', after, end, count);
          expect(trimmed).toBe(false);
          return entries.map((entry) => ids.indexOf(entry.id) + 1);
        };
        expect(await page(ids[0] as StreamId, ids[3], 10)).toEqual([2, 3, 4]);
        expect(await page(ids[0] as StreamId, ids[3], 2)).toEqual([2, 3]);
        expect(await page(ids[2] as StreamId, undefined, 10)).toEqual([4, 5]);
        expect(await page(ids[4] as StreamId, undefined, 10)).toEqual([]);
        expect(await page(ids[3] as StreamId, ids[1], 10)).toEqual([]);
      });

      test('of a channel that nobody ever published to is empty and nothing was trimmed', async () => {
        const page = (after: StreamId) => log.range('nobody', after, undefined, 10);
        expect(await page(recently())).toEqual({ entries: [], trimmed: false });
        expect(await page(nextId(recently()))).toEqual({ entries: [], trimmed: false });
      });

      test('knows whether an old position of a channel that is not there can have missed something', async () => {
        const page = (after: StreamId) => log.range('nobody', after, undefined, 10);
        expect(await page(ZERO_ID)).toEqual({ entries: [], trimmed: forgets });
        expect(await page('77-7' as StreamId)).toEqual({ entries: [], trimmed: forgets });
        await publish('a', '1');
        expect(await isTrimmed('a', ZERO_ID)).toBe(forgets);
      });

      test('takes positions at both ends of the id space', async () => {
        await publish('a', '1');
        const top = parseStreamId('18446744073709551615-18446744073709551615') as StreamId;
        expect(await log.range('a', top, undefined, 10)).toEqual({ entries: [], trimmed: false });
        expect((await log.range('a', ZERO_ID, top, 10)).entries).toHaveLength(1);
      });

      test('says that entries after the position were trimmed, and not of those before it', async () => {
        const ids = await publish('a', '1', '2', '3', '4', '5');
        await publish('b', '1');
        await subject.trim('a', 2);
        expect(await isTrimmed('a', ids[0] as StreamId)).toBe(true);
        expect(await isTrimmed('a', ZERO_ID)).toBe(true);
        expect(await isTrimmed('a', ids[3] as StreamId)).toBe(false);
        expect(await isTrimmed('a', ids[4] as StreamId)).toBe(false);
        expect(await isTrimmed('b', recently())).toBe(false);
      });

      test('says so of a channel of which nothing is left, except to who has seen all of it', async () => {
        const ids = await publish('a', '1', '2');
        await subject.trim('a', 0);
        expect(await log.range('a', ids[0] as StreamId, undefined, 10)).toEqual({
          entries: [],
          trimmed: true,
        });
        expect(await log.range('a', ids[1] as StreamId, undefined, 10)).toEqual({
          entries: [],
          trimmed: false,
        });
      });

      test('does not wait behind a blocking read', async () => {
        const firehose = await open();
        const reading = firehose.read(ZERO_ID, { count: 10, blockMs: 20_000 });
        expect((await log.range('a', ZERO_ID, undefined, 10)).entries).toEqual([]);
        await publish('a', '1');
        expect((await reading).entries).toHaveLength(1);
      });
    });

    describe('publish and subscribe', () => {
      // Channels have no prefix, and a Cluster passes messages on: one of the test before may come late.
      let a: string;
      beforeEach(() => {
        a = `a-${randomUUID()}`;
      });

      test('brings what is published from then on, in order, of the subscribed channels only', async () => {
        const { heard } = await hear(a, `ä☃${a}`);
        expect(await log.publish('other', text('no'))).toBe(0);
        const counts = [
          await log.publish(a, text('1')),
          await log.publish(`ä☃${a}`, text('2')),
          await log.publish(a, Buffer.from([0, 255, 10])),
        ];
        expect(counts).toEqual([1, 1, 1]);
        await until(
          () => heard.length,
          (length) => length === 3,
        );
        expect(heard).toEqual([
          [a, '1'],
          [`ä☃${a}`, '2'],
          [a, '\u0000ÿ\n'],
        ]);
      });

      test('two subscribers both hear it; a closed one hears nothing more and is not told of a loss', async () => {
        const one = await hear(a);
        const two = await hear(a);
        await log.publish(a, text('1'));
        await until(
          () => one.heard.length + two.heard.length,
          (length) => length === 2,
        );
        one.subscription.close();
        await until(
          () => log.publish(a, text('2')),
          (count) => count === 1,
        );
        await until(
          () => two.heard.length,
          (length) => length >= 2,
        );
        expect(one.heard).toEqual([[a, '1']]);
        expect(one.lost()).toBe(0);
      });

      test('channels are added to a connection and removed from it, also again and several at once', async () => {
        const b = `b-${randomUUID()}`;
        const { heard, lost, subscription } = await hear();
        await subscription.add(a);
        await Promise.all([subscription.add(a), subscription.add(b)]);
        expect([await log.publish(a, text('1')), await log.publish(b, text('2'))]).toEqual([1, 1]);
        await until(
          () => heard.length,
          (length) => length === 2,
        );
        subscription.remove(a);
        subscription.remove('what was never added');
        await until(
          () => log.publish(a, text('3')),
          (count) => count === 0,
        );
        subscription.remove(b);
        await Promise.all([subscription.add(b), subscription.add(a)]);
        expect(await log.publish(a, text('4'))).toBe(1);
        await until(
          () => heard.length,
          (length) => length >= 3,
        );
        expect(heard).toEqual([
          [a, '1'],
          [b, '2'],
          [a, '4'],
        ]);
        expect(lost()).toBe(0);
      });

      test('nothing is heard of a channel that was removed, not even what is on its way', async () => {
        const b = `b-${randomUUID()}`;
        const heard: string[] = [];
        const subscription = await log.subscribe([a, b], {
          message(channel, payload) {
            heard.push(payload.toString());
            if (channel === a) subscription.remove(a);
          },
          lost() {},
        });
        await Promise.all([log.publish(a, text('1')), log.publish(a, text('2'))]);
        await log.publish(b, text('3'));
        await until(
          () => heard.length,
          () => heard.includes('3'),
        );
        expect(heard).toEqual(['1', '3']);
      });

      test('nothing can be added to a connection that was closed', async () => {
        const { subscription } = await hear(a);
        subscription.close();
        await expect(subscription.add('b')).rejects.toMatchObject({ code: 'closed' });
      });

      test('is no part of the streams', async () => {
        await log.publish(a, text('1'));
        expect((await log.range('a', ZERO_ID, undefined, 10)).entries).toEqual([]);
      });
    });

    test('once closed, everything rejects', async () => {
      const firehose = await open();
      const reading = firehose.read(ZERO_ID, { count: 10, blockMs: 20_000 });
      const [outcome] = await Promise.all([reading.catch((error: unknown) => error), subject.close()]);
      expect(outcome).toMatchObject({ code: 'closed' });
      await expect(open()).rejects.toMatchObject({ code: 'closed' });
      await expect(log.append('a', text('1'))).rejects.toMatchObject({ code: 'closed' });
      await expect(log.range('a', ZERO_ID, undefined, 1)).rejects.toMatchObject({ code: 'closed' });
      await expect(log.lastId()).rejects.toMatchObject({ code: 'closed' });
      await expect(log.publish('a', text('1'))).rejects.toMatchObject({ code: 'closed' });
    });
  });
}

export function describeControl(name: string, make: () => Promise<Pair<Control>>): void {
  describe(`control contract: ${name}`, () => {
    let pair: Pair<Control>;
    beforeAll(async () => {
      pair = await make();
    });
    afterAll(() => pair.close());

    test('a message reaches every instance, the sender included, in order and as data', async () => {
      const heard: unknown[][] = [[], []];
      const listening = await Promise.all([
        pair.one.listen((message) => heard[0]?.push(message)),
        pair.two.listen((message) => heard[1]?.push(message)),
      ]);
      const sent = [{ type: 'tell', data: { deep: ['ä', 1, null] } }, 'text', 3];
      for (const message of sent) await pair.one.send(message);
      await until(
        () => Math.min(...heard.map((one) => one.length)),
        (length) => length === sent.length,
      );
      expect(heard).toEqual([sent, sent]);
      for (const one of listening) one.close();
    });

    test('nothing sent before is heard, nothing after close', async () => {
      const [first, second]: unknown[][] = [[], []];
      await pair.one.send('before');
      const one = await pair.two.listen((message) => first?.push(message));
      const two = await pair.two.listen((message) => second?.push(message));
      await pair.one.send('heard');
      await until(
        () => first?.length,
        (length) => length === 1,
      );
      one.close();
      await pair.one.send('later');
      await until(
        () => second?.length,
        (length) => length === 2,
      );
      expect([first, second]).toEqual([['heard'], ['heard', 'later']]);
      two.close();
    });

    test('instances are those whose heartbeat has not run out, sorted', async () => {
      await pair.two.heartbeat('b', 60_000);
      await pair.one.heartbeat('a', 60_000);
      await pair.one.heartbeat('brief', 40);
      expect(await pair.two.instances()).toEqual(expect.arrayContaining(['a', 'b']));
      await until(
        () => pair.two.instances(),
        (instances) => !instances.includes('brief'),
      );
      expect(await pair.one.instances()).toEqual(['a', 'b']);
      await pair.one.heartbeat('b', 40);
      await until(
        () => pair.one.instances(),
        (instances) => instances.length === 1,
      );
      await pair.one.heartbeat('a', 0);
      expect(await pair.two.instances()).toEqual([]);
    });
  });
}

export function describeRevocations(name: string, make: () => Promise<Pair<Revocations>>): void {
  describe(`revocations contract: ${name}`, () => {
    let pair: Pair<Revocations>;
    beforeEach(async () => {
      pair = await make();
    });
    afterEach(() => pair.close());

    const HOUR_MS = 3_600_000;
    const user = (id: string, atMs: number): Revocation => ({ of: 'user', id, atMs });
    const byName = (all: readonly Revocation[]) =>
      all.toSorted((a, b) => (`${a.of} ${a.id}` < `${b.of} ${b.id}` ? -1 : 1));

    test('what one instance adds all have, and none is there at first', async () => {
      expect(await pair.one.all()).toEqual([]);
      const now = Date.now();
      const added: Revocation[] = [user('5', now), { of: 'session', id: '5', atMs: now - 1 }];
      await pair.one.add(added, HOUR_MS);
      for (const port of [pair.one, pair.two]) expect(byName(await port.all())).toEqual(byName(added));
    });

    test('of two for one user the later one is kept, in whatever order they come', async () => {
      const now = Date.now();
      await pair.one.add([user('a', now - 10), user('b', now)], HOUR_MS);
      await pair.two.add([user('a', now), user('b', now - 10)], HOUR_MS);
      expect(byName(await pair.one.all())).toEqual([user('a', now), user('b', now)]);
    });

    test('ids are apart, whatever they are', async () => {
      const now = Date.now();
      const added = [...ODD_NAMES.filter((id) => !id.includes('\n')), 'user:5', 'session'].map((id) =>
        user(id, now),
      );
      await pair.one.add(added, HOUR_MS);
      expect(byName(await pair.two.all())).toEqual(byName(added));
    });

    test('one that no token is left for is forgotten', async () => {
      const now = Date.now();
      await pair.one.add([user('old', now - 100), user('new', now + HOUR_MS)], 200);
      expect((await pair.two.all()).map(({ id }) => id)).toContain('new');
      await until(
        async () => {
          await pair.one.add([user('new', now + HOUR_MS)], 200);
          return pair.two.all();
        },
        (all) => all.length === 1,
      );
      expect(await pair.two.all()).toEqual([user('new', now + HOUR_MS)]);
    });

    test('many are all given', async () => {
      const now = Date.now();
      const added = Array.from({ length: 5_000 }, (_, at) => user(`${at}`, now - at));
      await pair.one.add(added, HOUR_MS);
      const all = await pair.two.all();
      expect(all).toHaveLength(added.length);
      expect(byName(all)).toEqual(byName(added));
    });
  });
}

export function describeOnce(name: string, make: () => Promise<Pair<Once>>): void {
  describe(`once contract: ${name}`, () => {
    let pair: Pair<Once>;
    beforeAll(async () => {
      pair = await make();
    });
    afterAll(() => pair.close());

    test('of many callers at once exactly one gets the key', async () => {
      const claims = await Promise.all(
        Array.from({ length: 40 }, (_, at) => (at % 2 === 0 ? pair.one : pair.two).claim('ticket', 60_000)),
      );
      expect(claims.filter(Boolean)).toHaveLength(1);
    });

    test('keys are apart, whatever they are called', async () => {
      for (const key of ODD_NAMES) expect(await pair.one.claim(key, 60_000)).toBe(true);
      for (const key of ODD_NAMES) expect(await pair.two.claim(key, 60_000)).toBe(false);
    });

    test('a claim that has run out can be made again', async () => {
      expect(await pair.one.claim('brief', 2_000)).toBe(true);
      expect(await pair.two.claim('brief', 2_000)).toBe(false);
      await until(
        () => pair.two.claim('brief', 60_000),
        (claimed) => claimed,
      );
      expect(await pair.one.claim('brief', 60_000)).toBe(false);
    });
  });
}

function expectIncreasing(ids: readonly StreamId[]): void {
  for (let at = 1; at < ids.length; at += 1) {
    expect(compareIds(ids[at - 1] as StreamId, ids[at] as StreamId)).toBeLessThan(0);
  }
}

async function readAll(firehose: Awaited<ReturnType<EventLog['openFirehose']>>, from: StreamId = ZERO_ID) {
  const all = [];
  for (let position = from; ; ) {
    const { entries } = await firehose.read(position, { count: 1000, blockMs: 0 });
    if (entries.length === 0) return all;
    all.push(...entries);
    position = entries.at(-1)?.id as StreamId;
  }
}
