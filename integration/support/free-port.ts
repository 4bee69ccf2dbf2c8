import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/**
 * A TCP port that nobody listens on and that no outgoing connection is given.
 *
 * Below the ephemeral range on purpose: a server that is to come back on its port must find it free, and a client
 * that keeps trying a closed ephemeral port on loopback can end up connected to itself.
 */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt++) {
    // A Redis Cluster node also needs port + 10000 for its bus, which must stay below 32768 as well.
    const port = randomInt(10_000, 22_000);
    if ((await isFree(port)) && (await isFree(port + 10_000))) return port;
  }
  throw new Error('No free port between 10000 and 22000.');
}

function isFree(port: number): Promise<boolean> {
  return new Promise((answer) => {
    const server = createServer();
    server.once('error', () => answer(false));
    server.listen(port, '0.0.0.0', () => server.close(() => answer(true)));
  });
}
