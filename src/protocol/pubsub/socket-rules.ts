import type { CloseReason } from '../../../machines/close-reason.ts';
import { nativeClose } from '../native/close-codes.ts';
import type { SocketProtocol } from '../../routing/protocol.ts';
import { createPubSubEvents, type PubSubFormat } from './event-codec.ts';

/** Over how long the clients of a server that is being stopped come back. */
const RECONNECT_SPREAD_MS = 5_000;

/** Says nothing, so that a connection that is gone is noticed and no proxy takes one for dead. */
const COMMENT = ':\n\n';

/** HTTP has no close codes; the reason is for the log. */
const closeCode = (reason: CloseReason) => ({ code: 1000, text: reason });

/** Plain Pub/Sub messages over HTTP, as the routing uses them. */
export function pubSubProtocol(format: PubSubFormat): SocketProtocol {
  const codec = createPubSubEvents(format);
  // There is no word for a gap among messages of others: who is closed comes back.
  if (format === 'messages') {
    return { codec, onGap: 'close', gapText: () => undefined, closeCode: nativeClose };
  }
  // Who asked for the bytes as they come is told nothing beside them.
  if (format === 'raw') return { codec, onGap: 'tell', gapText: () => undefined, closeCode };
  return {
    codec,
    onGap: 'tell',
    gapText: (_, { reason }) => Buffer.from(`event: gap\ndata: ${JSON.stringify({ reason })}\n\n`),
    closeCode,
    pingText: () => COMMENT,
    farewellText: (reason, random) =>
      reason === 'drain' ? `retry: ${Math.floor(random() * RECONNECT_SPREAD_MS)}\n\n` : undefined,
  };
}
