import { describe, expect, test } from '@jest/globals';
import { events } from '../../../bench/dialects/events.ts';
import { native } from '../../../bench/dialects/native.ts';
import { sequenceIn, stamp } from '../../../bench/stamp.ts';

const NEW = { lastId: undefined, session: undefined };
const data = `{"x":1,${stamp(42, 123_456)}`;
const event = `{"type":"event","channel":"w0","topic":"t","id":"1-0","time":1,"data":${data}}`;
/** In the middle of a buffer, as the parser finds it. */
const found = (text: string): [bytes: Buffer, from: number, to: number] => {
  const bytes = Buffer.from(`before}${text}after}`);
  return [bytes, 'before}'.length, bytes.length - 'after}'.length];
};

describe('the native dialect', () => {
  test('says hello, subscribes its channel, and is open when that is answered', () => {
    expect(native.greeting).toContain('"hello"');
    expect(native.answer('{"type":"welcome","ref":0}', NEW, 'w0')).toEqual({
      send: '{"type":"subscribe","ref":1,"channel":"w0"}',
    });
    expect(native.answer('{"type":"subscribed","ref":1}', NEW, 'w0')).toEqual({ isOpen: true });
  });

  test('answers a ping, and does not go on after what it does not know', () => {
    expect(native.isEvent(...found('{"type":"ping","id":"1-0"}'))).toBe(false);
    expect(native.answer('{"type":"ping"}', NEW, 'w0')).toEqual({ send: '{"type":"pong"}' });
    expect(() => native.answer('{"type":"error"}', NEW, 'w0')).toThrow('unknown frame');
  });

  test('finds the stamp of an event', () => {
    const [bytes, from, to] = found(event);
    expect(native.isEvent(bytes, from, to)).toBe(true);
    expect(sequenceIn(bytes, native.eventEnd(bytes, from, to))).toBe(42);
  });

  test('has a token for its channel', () => {
    expect(native.claims?.('w0')).toMatchObject({ aud: 'signalbox', channels: ['w0'] });
  });
});

describe('the dialect of streams', () => {
  test('asks for its channel, and takes every data for an event', () => {
    expect(events.target('s0', NEW)).toBe('/events?channel=s0');
    const [bytes, from, to] = found(data);
    expect(events.isEvent(bytes, from, to)).toBe(true);
    expect(sequenceIn(bytes, events.eventEnd(bytes, from, to))).toBe(42);
  });
});
