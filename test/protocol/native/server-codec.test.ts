import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { streamId } from '../../../src/event/stream-id.ts';
import { memberText } from '../../../src/protocol/json-text.ts';
import type { RawJson } from '../../../src/protocol/native/client-frame.ts';
import { encodeServerFrame, SERVER_FIELDS } from '../../../src/protocol/native/server-codec.ts';
import { gapText, nativeSocketRules } from '../../../src/protocol/native/socket-rules.ts';
import { serverFrames } from '../../support/native-frames.ts';

describe('a frame of the server', () => {
  test('is JSON that says what it was made of, type first, fields in the order of the table', () => {
    fc.assert(
      fc.property(serverFrames, (frame) => {
        const text = encodeServerFrame(frame);
        const read = JSON.parse(text) as Record<string, unknown>;
        const meant =
          'data' in frame && frame.data !== undefined ? { ...frame, data: JSON.parse(frame.data) } : frame;
        expect(read).toEqual(meant);
        const order = ['type', ...SERVER_FIELDS[frame.type]];
        expect(Object.keys(read)).toEqual(order.filter((name) => name in frame));
      }),
      { numRuns: 500 },
    );
  });

  test('has its data as it was written', () => {
    fc.assert(
      fc.property(serverFrames, (frame) => {
        if (!('data' in frame) || frame.data === undefined) return;
        expect(memberText(Buffer.from(encodeServerFrame(frame)), 'data')?.toString()).toBe(frame.data);
      }),
    );
    const data = '{"b":12345678901234567890,"a":1.0}' as RawJson;
    expect(encodeServerFrame({ type: 'answer', ref: 3, data })).toBe(
      '{"type":"answer","ref":3,"data":{"b":12345678901234567890,"a":1.0}}',
    );
  });

  test('without what may be left out does not name it', () => {
    expect(encodeServerFrame({ type: 'ping' })).toBe('{"type":"ping"}');
    expect(encodeServerFrame({ type: 'error', code: 'timeout', message: 'x' })).toBe(
      '{"type":"error","code":"timeout","message":"x"}',
    );
  });
});

describe('a gap', () => {
  const gap = { after: streamId(5, 0), to: streamId(9, 1), reason: 'epoch' } as const;

  test('is told with the channel, what is lost, and where the client is now', () => {
    expect(nativeSocketRules.onGap).toBe('tell');
    expect(nativeSocketRules.gapText(['sport'], gap)?.toString()).toBe(
      '{"type":"gap","channel":"sport","after":"5-0","id":"9-1","reason":"epoch"}',
    );
  });

  test('of another epoch names it, or the next reconnect would find one again', () => {
    expect(gapText('sport', { ...gap, epoch: 'new' })).toBe(
      '{"type":"gap","channel":"sport","after":"5-0","id":"9-1","epoch":"new","reason":"epoch"}',
    );
  });

  test('of the same sockets closes them with codes of the native table', () => {
    expect(nativeSocketRules.closeCode('expired')).toEqual({ code: 4401, text: 'unauthorized' });
  });
});
