import type { Redis } from 'ioredis';
import type { Listener, Subscriber } from '../ports.ts';
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
): Promise<Subscriber> {
  let pinging: NodeJS.Timeout | undefined;
  const stop = () => clearInterval(pinging);
  /** What is wanted, each with when Redis has confirmed it. */
  const wanted = new Map<string, Promise<unknown>>();
  const add = async (channel: string): Promise<void> => {
    const known = wanted.get(channel);
    if (known !== undefined) return void (await known);
    const confirmed = connection.run(deadlineMs, (client) => client.subscribe(channel));
    wanted.set(channel, confirmed);
    try {
      await confirmed;
    } catch (error) {
      if (wanted.get(channel) === confirmed) wanted.delete(channel);
      throw error;
    }
  };
  await connection.run(deadlineMs, async (client) => {
    client.on('messageBuffer', (name: Buffer, payload: Buffer) => {
      const channel = name.toString();
      // One that was removed may still be on its way.
      if (!connection.ended && wanted.has(channel)) listener.message(channel, payload);
    });
  });
  await Promise.all(channels.map(add));
  connection.onEnd((reason) => {
    stop();
    if (reason.code !== 'closed') listener.lost(reason);
  });
  // A deadline that passes ends the connection, which is where the loss is told.
  pinging = setInterval(() => {
    connection.run(deadlineMs, (client) => client.ping()).catch(stop);
  }, deadlineMs);
  return {
    add,
    remove(channel) {
      if (!wanted.delete(channel)) return;
      // It fails with the connection, whose loss is told, or because the user may not: then nothing is done about it here.
      connection.run(deadlineMs, (client) => client.unsubscribe(channel)).catch(() => {});
    },
    close: () => connection.close(),
  };
}
