import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import type { StreamId } from '../../../src/event/stream-id.ts';
import { isMalformed, type Malformed } from '../../../src/protocol/event-codec.ts';
import { createSupersetStreams, supersetStreams } from '../../../src/protocol/superset/streams.ts';
import { payloads, sentText } from '../../support/payloads.ts';

const ID = '1615426152415-0' as StreamId;
const channelOf = (text: string | Buffer) => supersetStreams.channelsOf(Buffer.from(text as string));
const encoded = (text: string | Buffer): Buffer | Malformed => {
  const payload = Buffer.from(text as string);
  const channels = supersetStreams.channelsOf(payload);
  return isMalformed(channels) ? channels : supersetStreams.encode(ID, channels, payload, 0);
};

/** What Superset's sidecar made of an entry. */
const sidecar = (payload: Buffer): unknown => ({ id: ID, ...JSON.parse(payload.toString()) });

describe("the codec of Superset's streams", () => {
  const published =
    '{"channel_id": "bc9e", "job_id": "c9b9", "user_id": "1", "status": "done", "errors": [], "result_url": "/superset/explore_json/data/ejr-1"}';

  test("puts the id in front of what Superset's publisher wrote", () => {
    expect(channelOf(published)).toBe('bc9e');
    expect(sentText(encoded(published))).toBe(`{"id":"${ID}",${published.slice(1)}`);
  });

  test('gives, as JSON, what the sidecar gave, for any event', () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 1 }),
        fc.dictionary(fc.string(), fc.jsonValue()),
        (channel, rest) => {
          const { id: _own, channel_id: _channel, ...others } = rest;
          for (const event of [
            { channel_id: channel, ...others },
            { ...others, channel_id: channel },
          ]) {
            const payload = Buffer.from(JSON.stringify(event));
            expect(supersetStreams.channelsOf(payload)).toBe(JSON.parse(payload.toString()).channel_id);
            expect(JSON.parse(sentText(encoded(payload)))).toEqual(sidecar(payload));
          }
        },
      ),
    );
  });

  test('leaves an `id` of the event as it is', () => {
    const own = '{"channel_id": "c", "id": 7}';
    expect(sentText(encoded(own))).toBe(own);
    expect(sentText(encoded('{"channel_id": "c", "\\u0069d": 7}'))).toBe(
      '{"channel_id": "c", "\\u0069d": 7}',
    );
    expect(sentText(encoded('{"channel_id": "c", "job": {"id": 7}}'))).toContain(`"id":"${ID}"`);
  });

  test('numbers beyond 2^53 and the order of keys survive', () => {
    const text = '{"channel_id":"c","n":12345678901234567890,"f":1.0,"2":"b","1":"a"}';
    expect(sentText(encoded(text))).toBe(`{"id":"${ID}",${text.slice(1)}`);
  });

  test('takes an object with space around it and the channel anywhere in it', () => {
    const text = ' \n{ "status": "done", "channel_id" : "c" }\n';
    expect(channelOf(text)).toBe('c');
    expect(JSON.parse(sentText(encoded(text)))).toEqual({ id: ID, status: 'done', channel_id: 'c' });
  });

  test.each([
    ['an escape', '{"channel_id": "a\\u00e9\\"b"}', 'aé"b'],
    ['letters beyond ASCII', '{"channel_id": "Überblick 表"}', 'Überblick 表'],
    ['a key that begins like it', '{"channel_id_2": "x", "channel_id": "c"}', 'c'],
    ['a lone surrogate', '{"channel_id": "\\ud800"}', '\ud800'],
  ])('finds a channel with %s', (_name, text, channel) => {
    expect(channelOf(text)).toBe(channel);
    expect(JSON.parse(sentText(encoded(text)))).toEqual(sidecar(Buffer.from(text)));
  });

  describe('a channel named `constructor`, from any client, ends the process: names are ordinary here', () => {
    test.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'full', ' '])('%p', (name) => {
      const payload = JSON.stringify({ channel_id: name, [name]: 1 });
      expect(channelOf(payload)).toBe(name);
      expect(Object.hasOwn(JSON.parse(sentText(encoded(payload))), name)).toBe(true);
    });

    test('the members `__proto__` and `constructor` are members, not prototypes', () => {
      expect(encoded('{"__proto__": {"channel_id": "c"}}')).toEqual({ malformed: 'no_channel' });
      expect(sentText(encoded('{"channel_id": "c", "__proto__": {"id": 1}}'))).toContain(`{"id":"${ID}",`);
    });
  });

  describe('what is no event', () => {
    test.each([
      ['nothing', '', 'not_json'],
      ['no JSON', '{"channel_id": "c"', 'not_json'],
      ['JSON with more after it', '{"channel_id": "c"} x', 'not_json'],
      ['a byte order mark', '\ufeff{"channel_id": "c"}', 'not_json'],
      ['NaN', '{"channel_id": "c", "n": NaN}', 'not_json'],
      ['a control character in a name', '{"channel_id": "a\nb"}', 'not_json'],
      ['null', 'null', 'not_object'],
      ['a list', '[{"channel_id": "c"}]', 'not_object'],
      ['a text', '"channel_id"', 'not_object'],
      ['no channel', '{"job_id": "1"}', 'no_channel'],
      ['an empty channel', '{"channel_id": ""}', 'no_channel'],
      ['a channel that is a number', '{"channel_id": 5}', 'no_channel'],
      ['a channel further down', '{"job": {"channel_id": "c"}}', 'no_channel'],
      ['two channels', '{"channel_id": "a", "channel_id": "b"}', 'channel_mismatch'],
      [
        'a second channel under an escaped key',
        '{"channel_id": "a", "channel\\u005fid": "b"}',
        'channel_mismatch',
      ],
      ['a second channel that is none', '{"channel_id": "a", "channel_id": null}', 'no_channel'],
    ])('%s is refused with its reason', (_name, text, reason) => {
      expect(encoded(text)).toEqual({ malformed: reason });
    });

    test('a payload nested a million deep is refused or passed on, never thrown', () => {
      const deep = '['.repeat(1_000_000) + ']'.repeat(1_000_000);
      expect(() => encoded(`{"channel_id": "c", "deep": ${deep}}`)).not.toThrow();
    });
  });

  test('bytes that are not UTF-8 are replaced and counted, in a name as in a value', () => {
    let repaired = 0;
    const codec = createSupersetStreams({ onRepaired: () => repaired++ });
    const inValue = Buffer.from('{"channel_id": "c", "v": "\xe9"}', 'latin1');
    expect(sentText(codec.encode(ID, 'c', inValue, 0))).toBe(
      `{"id":"${ID}","channel_id": "c", "v": "\ufffd"}`,
    );
    const inName = Buffer.from('{"channel_id": "\xe9"}', 'latin1');
    expect(codec.channelsOf(inName)).toBe('\ufffd');
    expect(sentText(codec.encode(ID, '\ufffd', inName, 0))).toContain('\ufffd');
    expect(repaired).toBe(2);
  });

  test('decoding never throws, and what is sent is UTF-8 JSON with an id, whatever the bytes', () => {
    fc.assert(
      fc.property(payloads, (payload) => {
        const before = Buffer.from(payload);
        const text = encoded(payload);
        expect(payload.equals(before)).toBe(true);
        if (isMalformed(text)) return;
        const decoded = new TextDecoder('utf-8', { fatal: true }).decode(text);
        expect(Object.hasOwn(JSON.parse(decoded) as object, 'id')).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});
