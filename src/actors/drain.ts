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
  const startMs = clock.now();
  for (let closed = 0; closed < ids.length && sockets.size > 0; ) {
    // By the time that has passed, and not by the rounds: on a busy machine they take longer than they should.
    const share = drainMs < ROUND_MS ? 1 : (clock.now() - startMs + ROUND_MS) / drainMs;
    const due = Math.min(ids.length, Math.ceil(share * ids.length));
    for (const id of ids.slice(closed, due)) sockets.close(id, 'drain');
    closed = Math.max(closed, due);
    if (closed < ids.length) await new Promise<void>((resolve) => clock.setTimeout(resolve, ROUND_MS));
  }
  await sockets.whenEmpty();
}
