import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { sseData } from '../../../src/protocol/pubsub/sse-data.ts';

const encoded = (message: string | Buffer) => sseData(Buffer.from(message as string)).toString('latin1');

/** What EventSource gives its listener, by the rules of the HTML standard, when it is read byte by byte. */
function readAsEventSource(bytes: Buffer): { events: string[]; fields: Set<string> } {
  const events: string[] = [];
  const fields = new Set<string>();
  let data: string[] = [];
  for (const line of bytes.toString('latin1').split(/\r\n|\r|\n/)) {
    if (line === '') {
      if (data.length > 0) events.push(data.join('\n'));
      data = [];
      continue;
    }
    const colon = line.indexOf(':');
    fields.add(line.slice(0, colon));
    data.push(line.slice(colon + 1).replace(/^ /, ''));
  }
  return { events, fields };
}

describe('a message as the data of a Server-Sent Event', () => {
  test.each([
    ['foobar', 'data: foobar\n\n'],
    ['foobar\nfoobar2', 'data: foobar\ndata: foobar2\n\n'],
    ['foobar\n', 'data: foobar\ndata: \n\n'],
    ['\n', 'data: \ndata: \n\n'],
    ['\n\n', 'data: \ndata: \ndata: \n\n'],
    [' two  spaces ', 'data:  two  spaces \n\n'],
    ['data: x', 'data: data: x\n\n'],
    ['1782000000', 'data: 1782000000\n\n'],
  ])('%j is what uWSGI sends: %j', (message, text) => {
    expect(encoded(message)).toBe(text);
  });

  test.each([
    ['a\r\nb', 'data: a\ndata: b\n\n'],
    ['a\rb', 'data: a\ndata: b\n\n'],
    ['a\rid: 5', 'data: a\ndata: id: 5\n\n'],
    ['a\r\n\r\nevent: login', 'data: a\ndata: \ndata: event: login\n\n'],
    ['a\n\rb', 'data: a\ndata: \ndata: b\n\n'],
    ['a\r', 'data: a\ndata: \n\n'],
    ['a\r\n', 'data: a\ndata: \n\n'],
    ['\r\r\n\n', 'data: \ndata: \ndata: \ndata: \n\n'],
  ])('%j ends a line at CR too, so that nothing of it is a field: %j', (message, text) => {
    expect(encoded(message)).toBe(text);
  });

  test('bytes that are no text go through as they are', () => {
    const bytes = Buffer.from([0, 255, 128, 10, 0xc3, 0xe2, 0x98]);
    expect(sseData(bytes)).toEqual(
      Buffer.concat([
        Buffer.from('data: '),
        bytes.subarray(0, 3),
        Buffer.from('\ndata: '),
        bytes.subarray(4),
        Buffer.from('\n\n'),
      ]),
    );
  });

  test('leaves the room free that is asked for', () => {
    const framed = sseData(Buffer.from('a\nb'), 10);
    expect(framed.length).toBe(10 + 'data: a\ndata: b\n\n'.length);
    expect(framed.toString('latin1', 10)).toBe('data: a\ndata: b\n\n');
  });

  test('whatever the message is, EventSource hears one event of its lines, and no other field', () => {
    const message = fc.array(fc.oneof(fc.constantFrom(10, 13, 58, 32, 0), fc.nat(255))).map(Buffer.from);
    fc.assert(
      fc.property(message, (bytes) => {
        const { events, fields } = readAsEventSource(sseData(bytes));
        expect(events).toEqual([bytes.toString('latin1').replaceAll(/\r\n|\r/g, '\n')]);
        expect([...fields]).toEqual(['data']);
      }),
    );
  });
});
