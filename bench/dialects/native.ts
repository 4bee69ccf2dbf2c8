import type { Answer, Dialect } from './dialect.ts';
import { nativeClaims } from './native-claims.ts';

const EVENT = Buffer.from('{"type":"event"');

/** Signalbox's own protocol: `hello`, then `subscribe`, then events whose data is what was published. */
export const native: Dialect = {
  isOpenOnceUpgraded: false,
  target: () => '/',
  headers: (token) => [`Authorization: Bearer ${token}`, 'Sec-WebSocket-Protocol: signalbox.v1'],
  claims: nativeClaims,
  greeting: '{"type":"hello","ref":0}',
  isEvent: (bytes, from, to) =>
    to - from > EVENT.length && EVENT.compare(bytes, from, from + EVENT.length) === 0,
  // The data is last, before the brace of the frame.
  eventEnd: (_bytes, _from, to) => to - 1,
  idOf() {
    throw new Error('native clients are not asked for replays');
  },
  answer(text, _past, channelName): Answer {
    const { type } = JSON.parse(text) as { type: string };
    switch (type) {
      case 'welcome':
        return { send: `{"type":"subscribe","ref":1,"channel":"${channelName}"}` };
      case 'subscribed':
        return { isOpen: true };
      case 'ping':
        return { send: '{"type":"pong"}' };
      default:
        throw new Error(`an unknown frame came: ${text.slice(0, 80)}`);
    }
  },
};
