import type { Answer, Dialect } from './dialect.ts';

/** Packets of Engine.IO 4 with those of Socket.IO 5 in them, as far as a server sends them to such a client. */
const HANDSHAKE = '0';
const PING = '2';
const PONG = '3';
const CONNECT = '40';
const REFUSED = '44';
const FOUR = 0x34;
const TWO = 0x32;
const BRACE = 0x7d;

// An offset holds no brace, so the last one is the event's.
function eventEnd(bytes: Buffer, from: number, to: number): number {
  let end = to;
  while (end > from && bytes[end - 1] !== BRACE) end -= 1;
  return end;
}

/** Socket.IO 4 over WebSocket: `42["event",{…}]`, and with connection state recovery `42["event",{…},"offset"]`. */
export const socketio: Dialect = {
  isOpenOnceUpgraded: false,
  target: () => '/socket.io/?EIO=4&transport=websocket',
  isEvent: (bytes, from, to) => to > from + 1 && bytes[from] === FOUR && bytes[from + 1] === TWO,
  eventEnd,
  idOf(bytes, from, to) {
    const text = bytes.toString('latin1', eventEnd(bytes, from, to), to);
    const offset = /^,"([^"]+)"\]$/.exec(text)?.[1];
    if (offset === undefined) throw new Error('an event without an offset came');
    return offset;
  },
  answer(text, { session, lastId }): Answer {
    if (text === PING) return { send: PONG };
    if (text.startsWith(HANDSHAKE)) {
      const isBack = session !== undefined && lastId !== undefined;
      return { send: isBack ? `${CONNECT}${JSON.stringify({ pid: session, offset: lastId })}` : CONNECT };
    }
    if (text.startsWith(CONNECT)) {
      const { pid } = JSON.parse(text.slice(CONNECT.length)) as { pid?: string };
      return { isOpen: true, ...(pid === undefined ? {} : { session: pid }) };
    }
    if (text.startsWith(REFUSED)) throw new Error(`refused: ${text}`);
    throw new Error(`an unknown packet came: ${text.slice(0, 80)}`);
  },
};
