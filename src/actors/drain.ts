import type { Clock } from '../clock.ts';
import type { Sockets } from './sockets.ts';

/** How often a round of sockets is closed. */
const ROUND_MS = 50;

/**
 * Closes the sockets that are open now in rounds spread evenly over `drainMs`, so that their clients do not all
 * come back at once. Resolves when the last of them has gone; what is left to its close timeout is its machine's.
 */
export async function drain(sockets: Sockets, clock: Clock, drainMs: number): Promise<void> {
  const ids = sockets.ids();
  const rounds = Math.max(1, Math.floor(drainMs / ROUND_MS));
  for (let round = 0; round < rounds && sockets.size > 0; round += 1) {
    const from = Math.ceil((round * ids.length) / rounds);
    const to = Math.ceil(((round + 1) * ids.length) / rounds);
    for (const id of ids.slice(from, to)) sockets.close(id, 'drain');
    if (to < ids.length) await new Promise<void>((resolve) => clock.setTimeout(resolve, ROUND_MS));
  }
  await sockets.whenEmpty();
}
