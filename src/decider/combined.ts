import type { Decider } from './decider.ts';

/** Two applications as one: what the first decides the second is not asked, and both are told. */
export function combined(first: Decider, second: Decider): Decider {
  return {
    connect: first.connect ?? second.connect,
    subscribe: first.subscribe ?? second.subscribe,
    ask: first.ask ?? second.ask,
    tell: first.tell ?? second.tell,
    snapshot: first.snapshot ?? second.snapshot,
    connected(peer) {
      first.connected?.(peer);
      second.connected?.(peer);
    },
    disconnected(peer, reason) {
      first.disconnected?.(peer, reason);
      second.disconnected?.(peer, reason);
    },
    subscribed(peer, wish) {
      first.subscribed?.(peer, wish);
      second.subscribed?.(peer, wish);
    },
    unsubscribed(peer, channel) {
      first.unsubscribed?.(peer, channel);
      second.unsubscribed?.(peer, channel);
    },
    forgotten(peer) {
      first.forgotten?.(peer);
      second.forgotten?.(peer);
    },
    async close() {
      await Promise.all([first.close?.(), second.close?.()]);
    },
  };
}
