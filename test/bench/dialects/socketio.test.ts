import { describe, expect, test } from '@jest/globals';
import { socketio } from '../../../bench/dialects/socketio.ts';
import { sentAtIn, sequenceIn, stamp } from '../../../bench/stamp.ts';

const NEW = { lastId: undefined, session: undefined };
const BACK = { lastId: 'PlJ4tz1', session: 'p-1' };

const event = `{"id":"1-0","channel_id":"c0","errors":[{}],${stamp(42, 123_456)}`;
/** A packet in the middle of a buffer, as the parser finds it. */
const found = (packet: string): [bytes: Buffer, from: number, to: number] => {
  const bytes = Buffer.from(`before}${packet}after}`);
  return [bytes, 'before}'.length, bytes.length - 'after}'.length];
};

describe('the dialect of Socket.IO', () => {
  test('asks for a WebSocket at once, and is not open before the server says so', () => {
    expect(socketio.target('c0', NEW)).toBe('/socket.io/?EIO=4&transport=websocket');
    expect(socketio.isOpenOnceUpgraded).toBe(false);
  });

  test.each([
    ['a handshake, by connecting', '0{"sid":"a","pingInterval":25000}', NEW, { send: '40' }],
    [
      'a handshake, when it was here before, with what it has',
      '0{"sid":"a"}',
      BACK,
      { send: '40{"pid":"p-1","offset":"PlJ4tz1"}' },
    ],
    ['the end of connecting, by being open', '40{"sid":"b"}', NEW, { isOpen: true }],
    ['a session, by keeping it', '40{"sid":"b","pid":"p-2"}', NEW, { isOpen: true, session: 'p-2' }],
    ['a ping, with a pong', '2', NEW, { send: '3' }],
  ])('answers %s', (_, packet, past, answer) => {
    expect(socketio.isEvent(...found(packet))).toBe(false);
    expect(socketio.answer(packet, past, 'c0')).toEqual(answer);
  });

  test.each(['44{"message":"jwt malformed"}', '1', ''])('does not go on after %j', (packet) => {
    expect(socketio.isEvent(...found(packet))).toBe(false);
    expect(() => socketio.answer(packet, NEW, 'c0')).toThrow(/refused|unknown/);
  });

  test.each([
    ['an event', `42["event",${event}]`],
    ['an event with an offset', `42["event",${event},"PlJ4tz1"]`],
  ])('finds the stamp of %s', (_, packet) => {
    const [bytes, from, to] = found(packet);
    expect(socketio.isEvent(bytes, from, to)).toBe(true);
    const end = socketio.eventEnd(bytes, from, to);
    expect([sequenceIn(bytes, end), sentAtIn(bytes, end)]).toEqual([42, 123_456]);
  });

  test('comes back with the offset of the last event', () => {
    expect(socketio.idOf(...found(`42["event",${event},"PlJ4tz1"]`))).toBe('PlJ4tz1');
    expect(() => socketio.idOf(...found(`42["event",${event}]`))).toThrow('without an offset');
  });

  test('finds no event beyond its own text', () => {
    const [bytes, from, to] = found('42["nothing"]');
    expect(socketio.eventEnd(bytes, from, to)).toBe(from);
  });
});
