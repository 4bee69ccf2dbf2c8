import type { CloseReason } from '../../../machines/close-reason.ts';
import type { ChannelSnapshot, Gap, SocketProtocol } from '../../routing/protocol.ts';
import { isMalformed, type Malformed } from '../event-codec.ts';
import { readJsonValue } from '../json-text.ts';
import type { RawJson } from './client-frame.ts';
import { nativeClose } from './close-codes.ts';
import { createNativeEvents } from './event-codec.ts';
import { encodeServerFrame } from './server-codec.ts';

/** Over how long the clients of a server that is being stopped come back. */
const RECONNECT_SPREAD_MS = 5_000;

/** What the routing must know of native sockets beside their events. A subscription is of one channel. */
export const nativeSocketRules: Omit<SocketProtocol, 'codec'> = {
  onGap: 'tell',
  gapText: ([channel = ''], gap) => Buffer.from(gapText(channel, gap)),
  closeCode: nativeClose,
  snapshotText,
  pingText: (id) => encodeServerFrame({ type: 'ping', ...(id !== undefined && { id }) }),
  farewellText,
};

/** The native protocol, as the routing uses it. */
export function nativeProtocol(options: { readonly onRepaired: () => void }): SocketProtocol {
  return { ...nativeSocketRules, codec: createNativeEvents(options) };
}

/** The announcement of a gap; `epoch` where it is another one than the client knows. */
export function gapText(channel: string, { after, to, reason, epoch }: Gap): string {
  return encodeServerFrame({
    type: 'gap',
    channel,
    after,
    id: to,
    ...(epoch !== undefined && { epoch }),
    reason,
  });
}

function snapshotText(channel: string, { id, data }: ChannelSnapshot): Buffer | Malformed {
  const json = readJsonValue(data);
  if (isMalformed(json)) return json;
  return Buffer.from(
    encodeServerFrame({ type: 'snapshot', channel, id, data: json.bytes.toString() as RawJson }),
  );
}

function farewellText(reason: CloseReason, random: () => number): string | undefined {
  if (reason !== 'drain') return undefined;
  return encodeServerFrame({
    type: 'reconnect',
    after: Math.floor(random() * RECONNECT_SPREAD_MS),
    reason: 'drain',
  });
}
