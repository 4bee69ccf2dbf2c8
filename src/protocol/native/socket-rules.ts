import type { Gap, SocketProtocol } from '../../routing/protocol.ts';
import { nativeClose } from './close-codes.ts';
import { encodeServerFrame } from './server-codec.ts';

/** What the routing must know of native sockets beside their events. A subscription is of one channel. */
export const nativeSocketRules: Omit<SocketProtocol, 'codec'> = {
  onGap: 'tell',
  gapText: ([channel = ''], gap) => Buffer.from(gapText(channel, gap)),
  closeCode: nativeClose,
};

/** The announcement of a gap; `epoch` where it is another one than the client knows. */
export function gapText(channel: string, gap: Gap, epoch?: string): string {
  const { after, to, reason } = gap;
  return encodeServerFrame({
    type: 'gap',
    channel,
    after,
    id: to,
    ...(epoch !== undefined && { epoch }),
    reason,
  });
}
