import { type EventCodec, isMalformed, withHeadroom } from '../event-codec.ts';
import type { SocketProtocol } from '../../routing/protocol.ts';
import { nativeClose } from './close-codes.ts';
import { createNativeEvents, nativePartsOf } from './event-codec.ts';

/** Native events as their data alone, for clients that speak no protocol. Who has a gap is closed, and comes back. */
export function messagesProtocol({ onRepaired }: { readonly onRepaired: () => void }): SocketProtocol {
  const codec: EventCodec = {
    ...createNativeEvents({ onRepaired }),
    encode(_id, channels, payload, headroom) {
      const parts = nativePartsOf(channels, payload);
      if (isMalformed(parts)) return parts;
      if (parts.repaired) onRepaired();
      return withHeadroom(headroom, parts.data);
    },
  };
  return { codec, onGap: 'close', gapText: () => undefined, closeCode: nativeClose };
}
