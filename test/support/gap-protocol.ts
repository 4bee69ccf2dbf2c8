import { createSupersetStreams } from '../../src/protocol/superset/streams.ts';
import type { SocketProtocol } from '../../src/routing/protocol.ts';

/** Superset's events with gaps announced: what a test needs to see whether anything is lost unsaid. */
export const gapProtocol: SocketProtocol = {
  codec: createSupersetStreams(),
  gapText: (_, gap) => Buffer.from(JSON.stringify({ gap })),
  onGap: 'tell',
  closeCode: (reason) => ({ code: 1000, text: reason }),
};
