import { describe, expect, test } from '@jest/globals';
import { createHoldReader, createInstructionNames } from '../../src/upstream/hold.ts';

const reader = (grip: boolean) =>
  createHoldReader({
    channelHeader: 'x-sse-channel',
    grip,
    channelCheck: (name) => (name === 'bad' ? 'it is bad' : undefined),
    isInstruction: createInstructionNames({ channelHeader: 'x-sse-channel', grip }).isInstruction,
  });
const read = (headers: readonly string[], grip = true) =>
  reader(grip)({ status: 200, message: 'OK', headers });
const fault = expect.objectContaining({ fault: expect.any(String) });

describe('an instruction', () => {
  test('is the same whichever headers give it', () => {
    const rest = ['Content-Type', 'text/event-stream', 'X-Own', '1'];
    const own = read([...rest, 'X-SSE-Channel', 'a', 'X-SSE-Channel', 'b', 'X-SSE-Last-Id', '7']);
    const grip = read([...rest, 'Grip-Hold', 'stream', 'Grip-Channel', 'a; prev-id=7', 'Grip-Channel', 'b']);
    expect(own).toEqual(grip);
    expect(own).toEqual({
      hold: {
        channels: ['a', 'b'],
        lastEventId: '7',
        contentType: 'text/event-stream',
        headers: { 'x-own': '1' },
      },
    });
  });

  test('is that of the route’s own header where there are both', () => {
    const reading = read(['X-SSE-Channel', 'a', 'Grip-Hold', 'response']);
    expect(reading).toEqual({ hold: { channels: ['a'], headers: {} } });
  });

  test.each([201, 204, 206, 301, 404, 500])('is not taken with %i', (status) => {
    expect(reader(true)({ status, message: '', headers: ['X-SSE-Channel', 'a'] })).toBeUndefined();
  });

  test.each([
    ['a channel that may not be named', ['X-SSE-Channel', 'a, bad']],
    ['one of GRIP', ['Grip-Hold', 'stream', 'Grip-Channel', 'bad']],
    ['too many channels', ['X-SSE-Channel', Array.from({ length: 129 }, (_, at) => `c${at}`).join()]],
    ['an id that holds a space', ['X-SSE-Channel', 'a', 'X-SSE-Last-Id', '1 2']],
    ['an id that holds no text', ['X-SSE-Channel', 'a', 'X-SSE-Last-Id', '\xe9']],
    ['an id that is too long', ['X-SSE-Channel', 'a', 'X-SSE-Last-Id', '1'.repeat(201)]],
  ])('with %s is refused', (_, headers) => {
    expect(read(headers)).toEqual(fault);
  });

  test('of GRIP is none where GRIP is not spoken', () => {
    expect(read(['Grip-Hold', 'response'], false)).toBeUndefined();
  });
});
