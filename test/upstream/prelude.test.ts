import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { framed } from '../../src/upstream/prelude.ts';

const EVENTS = 'text/event-stream; charset=utf-8';
const frame = (text: string, isWhole: boolean, contentType: string | undefined = EVENTS): string =>
  framed({ body: Buffer.from(text), isWhole }, contentType).toString();

describe('what is sent before the first event', () => {
  test.each([
    ['', ''],
    ['data: 1\n\n', 'data: 1\n\n'],
    ['data: 1\r\n\r\n', 'data: 1\r\n\r\n'],
    ['data: 1\r\r', 'data: 1\r\r'],
    ['data: 1\n', 'data: 1\n\n\n'],
    ['data: 1\r\n', 'data: 1\r\n\n\n'],
    ['data: 1', 'data: 1\n\n'],
    ['data: 1\n\ndata: 2', 'data: 1\n\ndata: 2\n\n'],
  ])('ends with the end of an event: %j', (body, sent) => {
    expect(frame(body, true)).toBe(sent);
  });

  test.each([
    ['data: 1\n\ndata: 2', 'data: 1\n\n'],
    ['data: 1\r\n\r\ndata: 2\r\n', 'data: 1\r\n\r\n'],
    ['data: 1\n\n', 'data: 1\n\n'],
    ['data: 1', ''],
  ])('has no event that was cut: %j', (body, sent) => {
    expect(frame(body, false)).toBe(sent);
  });

  test.each(['text/plain', 'text/event-streams', undefined])(
    'is as it came where it is %s',
    (contentType) => {
      const body = Buffer.from('{"half');
      expect(framed({ body, isWhole: false }, contentType)).toBe(body);
    },
  );

  test('never joins the line of what follows, however its lines end', () => {
    const part = fc.constantFrom('data: x', ':', 'é', '\r', '\n', '\r\n');
    fc.assert(
      fc.property(fc.array(part), fc.boolean(), (parts, isWhole) => {
        const lines = `\n${frame(parts.join(''), isWhole)}retry: 1`.split(/\r\n|\n|\r/);
        expect(lines.slice(-2)).toEqual(['', 'retry: 1']);
      }),
    );
  });
});
