import { describe, expect, jest, test } from '@jest/globals';
import { type StreamId, ZERO_ID } from '../../src/event/stream-id.ts';
import { MALFORMED } from '../../src/protocol/event-codec.ts';
import { supersetStreams } from '../../src/protocol/superset/streams.ts';
import { Frames } from '../../src/routing/frames.ts';
import type { SocketProtocol } from '../../src/routing/protocol.ts';
import { Window } from '../../src/routing/window.ts';
import { entryOf, eventOf, idsOf } from '../support/events.ts';
import { gapProtocol } from '../support/gap-protocol.ts';

const [one] = idsOf(1) as [StreamId];

/** Frames in brackets; the framing writes the opening one into the headroom. */
function create(protocol: Partial<SocketProtocol> = {}) {
  const encode = jest.fn(supersetStreams.encode);
  const malformed: string[] = [];
  const window = new Window({ maxEvents: 10, maxBytes: 100_000, maxAgeMs: 1_000 }, ZERO_ID);
  const frames = new Frames({
    window,
    protocol: { ...gapProtocol, codec: { ...supersetStreams, encode }, ...protocol },
    framing: {
      headroom: 1,
      frame(text) {
        text[0] = '<'.charCodeAt(0);
        return text;
      },
    },
    onMalformed: ({ malformed: reason }) => void malformed.push(reason),
  });
  return { frames, window, encode, malformed };
}

describe('frames', () => {
  test('of an event are made once, framed in place, kept with it and accounted for in the window', () => {
    const { frames, window, encode } = create();
    const event = eventOf(one);
    window.add(event);
    const { bytes } = window;
    const frame = frames.ofEvent(event, false) as Buffer;
    expect(frame.toString()).toBe('<{"id":"1-0","channel_id":"c","data":null}');
    expect(frames.ofEvent(event, false)).toBe(frame);
    expect([encode.mock.calls.length, window.bytes]).toEqual([1, bytes + frame.length]);
  });

  test('of an event that is none are not asked for twice, and it is reported once', () => {
    const { frames, encode, malformed } = create();
    const event = eventOf(one, { payload: Buffer.from('not JSON') });
    expect(frames.ofEvent(event, false)).toBe(MALFORMED.notJson);
    expect(frames.ofEvent(event, false)).toBe(MALFORMED.notJson);
    expect([encode.mock.calls.length, malformed]).toEqual([1, ['not_json']]);
  });

  test('of an entry of a page are made once for those who share the page', () => {
    const { frames, encode } = create();
    const entry = entryOf(one);
    const frame = frames.ofEntry(entry, 'c', false);
    expect(frames.ofEntry(entry, 'c', false)).toBe(frame);
    expect(encode).toHaveBeenCalledTimes(1);
  });

  test('of an entry that names another channel than the one it was read from are none', () => {
    const { frames, malformed } = create();
    expect(frames.ofEntry(entryOf(one, 'other'), 'c', false)).toBe(MALFORMED.channelMismatch);
    expect(malformed).toEqual(['channel_mismatch']);
  });

  test('of a gap are framed as well, where the protocol has a word for it', () => {
    const gap = { after: ZERO_ID, to: one, reason: 'trimmed' } as const;
    expect(create().frames.ofGap(['c'], gap)?.toString()).toBe(`<${JSON.stringify({ gap })}`);
    expect(create({ gapText: () => undefined }).frames.ofGap(['c'], gap)).toBeUndefined();
  });
});
