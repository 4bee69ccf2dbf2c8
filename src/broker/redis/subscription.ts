import type { Redis } from 'ioredis';
import type { Listener } from '../ports.ts';
import type { Connection } from './connection.ts';

/**
 * Subscribes a connection of its own to plain channels; resolves once Redis has confirmed all of them.
 *
 * Such a connection is silent by nature, so it is asked every `deadlineMs` whether it is still there.
 */
export async function subscribe(
  connection: Connection<Redis>,
  channels: readonly string[],
  listener: Listener,
  deadlineMs: number,
): Promise<{ close(): void }> {
  let pinging: NodeJS.Timeout | undefined;
  const stop = () => clearInterval(pinging);
  await connection.run(deadlineMs, async (client) => {
    client.on('messageBuffer', (channel: Buffer, payload: Buffer) => {
      if (!connection.ended) listener.message(channel.toString(), payload);
    });
    await client.subscribe(...channels);
  });
  connection.onEnd((reason) => {
    stop();
    if (reason.code !== 'closed') listener.lost(reason);
  });
  // A deadline that passes ends the connection, which is where the loss is told.
  pinging = setInterval(() => {
    connection.run(deadlineMs, (client) => client.ping()).catch(stop);
  }, deadlineMs);
  return {
    close: () => connection.close(),
  };
}
