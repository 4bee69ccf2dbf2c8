import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import type { NativeLog, Publication } from '../../src/broker/ports.ts';
import type { Entry } from '../../src/event/entry.ts';
import { nativeFieldsOf, previousIdOf } from '../../src/event/native-entry.ts';
import { type StreamId, ZERO_ID } from '../../src/event/stream-id.ts';
import { follow, steps } from './native-history.ts';
import { idOf, type NativeLogUnderTest } from './native-under-test.ts';

const text = (value: string) => Buffer.from(value);

/** What every native log owes beyond what every log does. */
export function describeNativeLog(name: string, make: () => Promise<NativeLogUnderTest>): void {
  describe(`native log contract: ${name}`, () => {
    let subject: NativeLogUnderTest;
    let log: NativeLog;
    beforeEach(async () => {
      subject = await make();
      log = subject.log;
    });
    afterEach(() => subject.close());

    const publish = async (publication: Publication, by = log): Promise<StreamId> =>
      idOf((await by.publishEvents([publication]))[0]);
    const retained = async (channel: string): Promise<readonly Entry[]> =>
      (await log.range(channel, ZERO_ID, undefined, 100_000)).entries;
    const firehose = async (): Promise<readonly Entry[]> => {
      const reader = await log.openFirehose(new AbortController().signal);
      const newestFirst = await reader.readBack({ count: 100_000 });
      reader.close();
      return newestFirst.toReversed();
    };
    const linesOf = (entries: readonly Entry[]) =>
      entries.map((entry) => {
        const { channel, topic, data, previousId } = nativeFieldsOf(entry);
        return [entry.id, `${channel}`, topic === undefined ? undefined : `${topic}`, `${data}`, previousId];
      });

    describe('publishing', () => {
      test('writes channel, topic, data and the id of the event before, the same to both streams', async () => {
        const one = await publish({ channel: 'a', topic: 'first', data: text('1') });
        const other = await publish({ channel: 'b', data: text('{}') });
        const two = await publish({ channel: 'a', topic: '', data: text('') });
        const ofA = [
          [one, 'a', 'first', '1', ZERO_ID],
          [two, 'a', undefined, '', one],
        ];
        expect(linesOf(await retained('a'))).toEqual(ofA);
        expect(linesOf(await firehose())).toEqual([ofA[0], [other, 'b', undefined, '{}', ZERO_ID], ofA[1]]);
      });

      test('keeps a traceparent with its event, in both streams, and adds nothing to others', async () => {
        const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
        await log.publishEvents([
          { channel: 'a', data: text('1') },
          { channel: 'a', topic: 't', data: text('2'), traceparent },
          { channel: 'a', data: text('3'), traceparent },
        ]);
        await publish({ channel: 'a', data: text('4') });
        for (const entries of [await retained('a'), await firehose()]) {
          const named = entries.map(({ fields }) => fields.filter((_, at) => at % 2 === 0).join(''));
          expect(named).toEqual(['cdp', 'ctdpw', 'cdpw', 'cdp']);
          expect(entries.map(({ fields }) => String(fields.at(-1))).slice(1, 3)).toEqual([
            traceparent,
            traceparent,
          ]);
        }
      });

      test('of several events keeps their order, over channels', async () => {
        const publications = Array.from({ length: 100 }, (_, at) => ({
          channel: `c${at % 3}`,
          data: text(`${at}`),
        }));
        const outcomes = await log.publishEvents(publications);
        const entries = await firehose();
        expect(entries.map(({ id }) => id)).toEqual(outcomes.map(idOf));
        expect(linesOf(entries).map(([, , , data]) => data)).toEqual(publications.map((_, at) => `${at}`));
        expectChained(await retained('c0'), ZERO_ID);
      });

      test('of nothing writes nothing', async () => {
        expect(await log.publishEvents([])).toEqual([]);
        expect(await log.lastId()).toBe(ZERO_ID);
      });

      test('keeps the chain when everything was trimmed', async () => {
        await publish({ channel: 'a', data: text('1') });
        const last = await publish({ channel: 'a', data: text('2') });
        await subject.trim('a', 0);
        await subject.trim(undefined, 0);
        await publish({ channel: 'a', data: text('3') });
        expect((await retained('a')).map(previousIdOf)).toEqual([last]);
        expect((await firehose()).map(previousIdOf)).toEqual([last]);
      });

      test('keeps the chain under two instances that publish at once', async () => {
        await Promise.all(
          Array.from({ length: 60 }, (_, at) =>
            publish({ channel: `c${at % 3}`, data: text(`${at}`) }, at % 2 === 0 ? log : subject.other),
          ),
        );
        const all = await firehose();
        for (const channel of ['c0', 'c1', 'c2']) {
          const entries = await retained(channel);
          expect(entries).toHaveLength(20);
          expectChained(entries, ZERO_ID);
          expect(all.filter((entry) => `${nativeFieldsOf(entry).channel}` === channel)).toEqual(entries);
        }
      });
    });

    describe('a key', () => {
      const event = { channel: 'a', data: text('1'), key: 'alice a 1' };

      test('makes a repeat answer the first id and write nothing, whatever it brings', async () => {
        const first = await publish(event);
        const later = await publish({ channel: 'a', data: text('2') });
        expect(await publish(event, subject.other)).toBe(first);
        expect(await publish({ ...event, channel: 'b', data: text('3'), snapshot: true })).toBe(first);
        expect((await firehose()).map(({ id }) => id)).toEqual([first, later]);
        expect(await log.lastId()).toBe(later);
        expect(await log.snapshot('b')).toBeUndefined();
      });

      test('holds within one batch', async () => {
        const [one, two, three] = (await log.publishEvents([event, { ...event, key: 'other' }, event])).map(
          idOf,
        );
        expect(three).toBe(one);
        expect((await retained('a')).map(({ id }) => id)).toEqual([one, two]);
      });

      test('of many at once publishes one', async () => {
        const ids = await Promise.all(
          Array.from({ length: 40 }, (_, at) => publish(event, at % 2 === 0 ? log : subject.other)),
        );
        expect(new Set(ids).size).toBe(1);
        expect(await firehose()).toHaveLength(1);
      });

      test('is its own, whatever it is called, and none is no key', async () => {
        const keys = [undefined, undefined, '', 'a', 'c:a', '$all', '{a}', 'ä☃', '__proto__', 'constructor'];
        const ids = await Promise.all(keys.map((key) => publish({ channel: 'a', data: text('1'), key })));
        expect(new Set(ids).size).toBe(keys.length);
        expect(await publish({ channel: 'a', data: text('1'), key: '' })).toBe(ids[2]);
      });
    });

    describe('a snapshot', () => {
      test('is the last event that was published as one', async () => {
        expect(await log.snapshot('a')).toBeUndefined();
        const one = await publish({ channel: 'a', topic: 't', data: Buffer.from([0, 255]), snapshot: true });
        await publish({ channel: 'a', data: text('2') });
        expect(await subject.other.snapshot('a')).toEqual({
          id: one,
          topic: 't',
          data: Buffer.from([0, 255]),
        });
        const three = await publish({ channel: 'a', data: text('3'), snapshot: true });
        expect(await log.snapshot('a')).toEqual({ id: three, data: text('3') });
        expect(await log.snapshot('b')).toBeUndefined();
      });

      test('is no channel, nor is anything else of ours', async () => {
        await publish({ channel: 'a', data: text('1'), snapshot: true, key: 'k' });
        for (const channel of ['$all', '$snapshot:a', '$key:k', 'c:a', '$epoch']) {
          expect(await retained(channel)).toEqual([]);
          await publish({ channel, data: text('mine') });
          expect(await retained(channel)).toHaveLength(1);
        }
        expect(await retained('a')).toHaveLength(1);
      });
    });

    test('whatever is published and trimmed, a page is whole or says that it is not', async () => {
      await fc.assert(
        fc.asyncProperty(steps, async (doing) => {
          const own = await make();
          try {
            const { came, due } = await follow(own, doing);
            expect(came).toEqual(due);
          } finally {
            await own.close();
          }
        }),
        { numRuns: 40 },
      );
    });

    test('once closed, everything rejects', async () => {
      await subject.close();
      await expect(log.publishEvents([{ channel: 'a', data: text('1') }])).rejects.toMatchObject({
        code: 'closed',
      });
      await expect(log.snapshot('a')).rejects.toMatchObject({ code: 'closed' });
    });
  });
}

/** Each entry names the one before it, the first one `first`. */
function expectChained(entries: readonly Entry[], first: StreamId): void {
  expect(entries.map(previousIdOf)).toEqual([first, ...entries.slice(0, -1).map(({ id }) => id)]);
}
