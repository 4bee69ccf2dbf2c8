import { describe, expect, test } from '@jest/globals';
import { streamId } from '../../../src/event/stream-id.ts';
import { createPubSubEvents } from '../../../src/protocol/pubsub/event-codec.ts';
import { pubSubProtocol } from '../../../src/protocol/pubsub/socket-rules.ts';

const id = streamId(1, 0);
const entry = (channel: string, data: string | Buffer) => ({
  id,
  fields: ['channel', channel, 'data', data].map((part) => Buffer.from(part as string)),
});

describe.each(['sse', 'raw'] as const)('the codec of Pub/Sub messages as %s', (format) => {
  const codec = createPubSubEvents(format);
  const bytes = Buffer.from([0, 255, 13, 10, 0xc3]);

  test.each(['clock', 'ä☃', 'with spaces', '', 'x'.repeat(65_535)])(
    'finds the channel of an entry again: %s',
    (channel) => {
      expect(codec.channelsOf(codec.payloadOf(entry(channel, 'data')))).toBe(channel);
    },
  );

  test('gives an empty message to nobody', () => {
    expect(codec.channelsOf(codec.payloadOf(entry('clock', '')))).toEqual([]);
  });

  test('gives what has no channel or too long a one to nobody, and takes any bytes for a payload', () => {
    expect(codec.channelsOf(codec.payloadOf({ id, fields: [] }))).toEqual([]);
    expect(codec.channelsOf(codec.payloadOf(entry('x'.repeat(65_536), 'data')))).toEqual([]);
    for (const payload of [Buffer.alloc(0), Buffer.from([1]), Buffer.from([255, 255, 1])]) {
      expect(codec.channelsOf(payload)).toEqual([]);
      expect(codec.encode(id, [], payload, 0)).toBeInstanceOf(Buffer);
    }
  });

  test('makes the message of it, behind the room that a transport wants', () => {
    const payload = codec.payloadOf(entry('clock', bytes));
    const frame = codec.encode(id, 'clock', payload, 4) as Buffer;
    const expected =
      format === 'raw'
        ? bytes
        : Buffer.concat([
            Buffer.from('data: '),
            bytes.subarray(0, 2),
            Buffer.from('\ndata: '),
            bytes.subarray(4),
            Buffer.from('\n\n'),
          ]);
    expect(frame.subarray(4)).toEqual(expected);
  });

  test('keeps no reference to an entry', () => {
    const fields = entry('clock', 'data');
    const payload = codec.payloadOf(fields);
    fields.fields[3]?.fill(0);
    expect((codec.encode(id, 'clock', payload, 0) as Buffer).toString()).toContain('data');
  });
});

describe('the protocol of Pub/Sub messages', () => {
  const gap = { after: id, to: id, reason: 'lossy' } as const;

  test('tells a gap as an event of its own, and those who want raw bytes nothing', () => {
    expect(pubSubProtocol('sse').gapText(['clock'], gap)?.toString()).toBe(
      'event: gap\ndata: {"reason":"lossy"}\n\n',
    );
    expect(pubSubProtocol('raw').gapText(['clock'], gap)).toBeUndefined();
  });

  test('says a comment where nothing comes, and to raw ones nothing', () => {
    expect(pubSubProtocol('sse').pingText?.(undefined)).toBe(':\n\n');
    expect(pubSubProtocol('raw').pingText).toBeUndefined();
  });

  test('tells readers at a drain when to come back, each at his own time, and raw ones nothing', () => {
    const sse = pubSubProtocol('sse');
    expect(sse.farewellText?.('drain', () => 0.5)).toBe('retry: 2500\n\n');
    expect(sse.farewellText?.('gone', () => 0.5)).toBeUndefined();
    expect(pubSubProtocol('raw').farewellText?.('drain', () => 0.5)).toBeUndefined();
  });
});
