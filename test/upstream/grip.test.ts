import { describe, expect, test } from '@jest/globals';
import jwt from 'jsonwebtoken';
import { readGrip } from '../../src/upstream/grip.ts';
import { createGripSignature } from '../../src/upstream/grip-signature.ts';

const STREAM = ['Grip-Hold', 'stream', 'Grip-Channel', 'a'];
const fault = expect.objectContaining({ fault: expect.any(String) });
const keepAliveOf = (text: string): unknown => {
  const reading = readGrip([...STREAM, 'Grip-Keep-Alive', text]);
  return reading !== undefined && 'hold' in reading ? reading.hold.keepAlive : reading;
};

describe('the headers of GRIP', () => {
  test('that are not there say nothing', () => {
    expect(readGrip(['Content-Type', 'text/event-stream', 'Grip-Channel', 'a'])).toBeUndefined();
  });

  test.each([
    ['a channel', STREAM, { channels: ['a'] }],
    [
      'several, in one header or several',
      [...STREAM, 'grip-channel', 'b, c;x=1', 'GRIP-CHANNEL', 'a'],
      { channels: ['a', 'b', 'c'] },
    ],
    ['a mode in any case', ['grip-hold', 'Stream', 'Grip-Channel', 'a'], { channels: ['a'] }],
    [
      'a position',
      ['Grip-Hold', 'stream', 'Grip-Channel', 'a; prev-id=e.1-0'],
      { channels: ['a'], lastEventId: 'e.1-0' },
    ],
    [
      'the same position twice',
      ['Grip-Hold', 'stream', 'Grip-Channel', 'a; prev-id=1, b; prev-id=1, c'],
      { channels: ['a', 'b', 'c'], lastEventId: '1' },
    ],
    [
      'a position of the stream, which counts more',
      ['Grip-Hold', 'stream', 'Grip-Channel', 'a; prev-id=1, b; prev-id=2', 'X-SSE-Last-Id', '3'],
      { channels: ['a', 'b'], lastEventId: '3' },
    ],
  ])('give %s', (_, raw, hold) => {
    expect(readGrip(raw)).toEqual({ hold });
  });

  test.each([
    ['another mode', ['Grip-Hold', 'response', 'Grip-Channel', 'a']],
    ['no mode', ['Grip-Hold', '', 'Grip-Channel', 'a']],
    ['no channel', ['Grip-Hold', 'stream', 'Grip-Channel', ' , ']],
    ['a filter', ['Grip-Hold', 'stream', 'Grip-Channel', 'a, b; filter=skip-users']],
    ['two positions', ['Grip-Hold', 'stream', 'Grip-Channel', 'a; prev-id=1, b; prev-id=2']],
  ])('with %s are refused', (_, raw) => {
    expect(readGrip(raw)).toEqual(fault);
  });

  test.each([
    [':', ':', 55],
    [':; timeout=5', ':', 5],
    ['\\n; format=cstring; timeout=20', '\n', 20],
    [':\\r\\n\\t\\\\\\0\\"; format=cstring', ':\r\n\t\\\0"', 55],
    ['Og==; format=base64', ':', 55],
    [': a, b; format=raw', ': a, b', 55],
  ])('keep a line alive with %j', (text, content, seconds) => {
    expect(keepAliveOf(text)).toEqual({ content: Buffer.from(content), afterMs: seconds * 1000 });
  });

  test.each([
    '',
    '; timeout=5',
    ':; timeout=0',
    ':; timeout=-1',
    ':; timeout=x',
    ':; timeout=1e9',
    ':; format=hex',
    '\\q; format=cstring',
    '\\; format=cstring',
  ])('that would keep a line alive with %j are refused', (text) => {
    expect(keepAliveOf(text)).toEqual(fault);
  });
});

describe('Grip-Sig', () => {
  test.each([
    ['text', 'a-key-that-both-know', Buffer.from('a-key-that-both-know')],
    ['bytes', 'base64:AAECAwQFBgcICQ==', Buffer.from([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])],
  ])('is signed with a key of %s, for an hour', (_, key, secret) => {
    const signature = createGripSignature({ key, issuer: 'box', now: () => 1_700_000_000_000 })();
    const clockTimestamp = 1_700_000_000;
    expect(jwt.verify(signature, secret, { algorithms: ['HS256'], clockTimestamp })).toEqual({
      iss: 'box',
      exp: clockTimestamp + 3600,
    });
  });
});
