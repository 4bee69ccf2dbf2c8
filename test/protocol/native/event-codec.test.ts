import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import type { Entry } from '../../../src/event/entry.ts';
import { type StreamId, streamId } from '../../../src/event/stream-id.ts';
import { isMalformed } from '../../../src/protocol/event-codec.ts';
import { createNativeEvents } from '../../../src/protocol/native/event-codec.ts';
import { encodeServerFrame } from '../../../src/protocol/native/server-codec.ts';
import { channels, rawJson, topics } from '../../support/native-frames.ts';
import { payloads, sentText } from '../../support/payloads.ts';
import { closeIds } from '../../support/stream-ids.ts';

const entryOf = (
  fields: Readonly<Record<string, string | Buffer>>,
  id: StreamId = streamId(5, 1),
): Entry => ({
  id,
  fields: Object.entries(fields).flatMap(([name, value]) => [Buffer.from(name), Buffer.from(value)]),
});
/** As the fast lane uses a codec: it keeps the payload, and makes the frame of that. */
const codecOf = (events = createNativeEvents()) => ({
  channelsOf: (entry: Entry) => events.channelsOf(events.payloadOf(entry)),
  encode: (entry: Entry, channel: string | readonly string[], headroom: number) =>
    events.encode(entry.id, channel, events.payloadOf(entry), headroom),
  previousOf: (entry: Entry) => events.previousOf?.(entry),
});
const codec = codecOf();
const encoded = (fields: Readonly<Record<string, string | Buffer>>, channel = 'c') =>
  codec.encode(entryOf(fields), channel, 0);

describe('a native event', () => {
  test('is the frame that the server codec would make, for any channel, topic, id and data', () => {
    fc.assert(
      fc.property(channels, topics, closeIds, rawJson, fc.nat(20), (channel, topic, id, data, headroom) => {
        const entry = entryOf({ c: channel, t: topic, d: data, p: '1-0' }, id);
        expect(codec.channelsOf(entry)).toBe(channel);
        const frame = codec.encode(entry, channel, headroom);
        if (isMalformed(frame)) throw new Error(frame.malformed);
        const time = Number(id.slice(0, id.indexOf('-')));
        expect(frame.toString('utf8', headroom)).toBe(
          encodeServerFrame({ type: 'event', channel, topic, id, time, data }),
        );
      }),
    );
  });

  test('has its data as it was published', () => {
    expect(sentText(encoded({ c: 'c', t: 'article', d: '{"n":12345678901234567890 }' }))).toBe(
      '{"type":"event","channel":"c","topic":"article","id":"5-1","time":5,"data":{"n":12345678901234567890 }}',
    );
  });

  test('of no topic is a message, in whatever order its fields are, whatever else they are', () => {
    expect(sentText(encoded({ p: '1-0', x: '?', d: '1', c: 'c' }))).toBe(
      '{"type":"event","channel":"c","topic":"message","id":"5-1","time":5,"data":1}',
    );
  });

  test('may be of a user’s or a session’s channel', () => {
    expect(codec.channelsOf(entryOf({ c: 'user:bob%40example.com', d: '1' }))).toBe('user:bob%40example.com');
  });

  test('that is not UTF-8 is repaired and counted', () => {
    let repaired = 0;
    const counting = codecOf(createNativeEvents({ onRepaired: () => (repaired += 1) }));
    const entry = entryOf({ c: 'c', t: 't', d: Buffer.from([0x22, 0xff, 0x22]) });
    expect(sentText(counting.encode(entry, 'c', 0))).toContain('"data":"\ufffd"}');
    expect(repaired).toBe(1);
  });

  test.each([
    ['1-0', '1-0'],
    ['0-0', '0-0'],
    ['x', undefined],
    ['', undefined],
  ])('that says it comes after %j comes after %j', (p, expected) => {
    expect(codec.previousOf(entryOf({ c: 'c', d: '1', p }))).toBe(expected);
  });

  test('may not say what it comes after', () => {
    expect(codec.previousOf(entryOf({ c: 'c', d: '1' }))).toBeUndefined();
  });
});

describe('an entry that is no native event', () => {
  test.each([
    [{ d: '1' }, 'no_channel'],
    [{ c: '', d: '1' }, 'no_channel'],
    [{ c: 'a b', d: '1' }, 'no_channel'],
    [{ c: 'full', d: '1' }, 'no_channel'],
    [{ c: '$all', d: '1' }, 'no_channel'],
    [{ c: 'user:', d: '1' }, 'no_channel'],
    [{ c: 'ä', d: '1' }, 'no_channel'],
    [{ data: '{"channel_id":"c"}' }, 'no_channel'],
    [{ c: 'other', d: '1' }, 'channel_mismatch'],
    [{ c: 'c' }, 'bad_envelope'],
    [{ c: 'c', t: '', d: '1' }, 'bad_envelope'],
    [{ c: 'c', t: 'gap', d: '1' }, 'bad_envelope'],
    [{ c: 'c', t: '"', d: '1' }, 'bad_envelope'],
    [{ c: 'c', d: '' }, 'not_json'],
    [{ c: 'c', d: '{' }, 'not_json'],
    [{ c: 'c', d: '1,"x":2' }, 'not_json'],
  ])('%j is %s', (fields, malformed) => {
    expect(encoded(fields)).toEqual({ malformed });
    const channel = codec.channelsOf(entryOf(fields));
    expect(isMalformed(channel)).toBe(malformed === 'no_channel');
  });

  test('of anything at all is an answer, never an error, and whatever is sent is JSON', () => {
    const names = fc.constantFrom('c', 't', 'd', 'p', 'data', '');
    const fields = fc.array(fc.tuple(names, fc.oneof(payloads, fc.constant(Buffer.from('c')))), {
      maxLength: 5,
    });
    fc.assert(
      fc.property(closeIds, fields, fc.boolean(), (id, pairs, odd) => {
        const flat = pairs.flatMap(([name, value]) => [Buffer.from(name), value]);
        const entry: Entry = { id, fields: odd ? flat.slice(1) : flat };
        const channel = codec.channelsOf(entry);
        codec.previousOf(entry);
        const frame = codec.encode(entry, isMalformed(channel) ? 'c' : channel, 3);
        const text = isMalformed(frame) ? `{"type":"event"}` : frame.toString('utf8', 3);
        expect(JSON.parse(text)).toHaveProperty('type', 'event');
      }),
      { numRuns: 1000 },
    );
  });
});
