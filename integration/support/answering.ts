import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';

/** Where a Redis is reached: a TCP address, or the path of a unix socket. */
export type Address =
  | { readonly host: string; readonly port: number; readonly tls?: boolean }
  | { readonly path: string };

/**
 * Resolves when the Redis at this address answers commands.
 *
 * A refusal for want of a password or a certificate is an answer; "loading" is not, nor is a connection that a
 * container engine's proxy accepts before anything listens behind it.
 */
export async function untilAnswering(address: Address, limitMs = 20_000, alive = () => true): Promise<void> {
  const end = Date.now() + limitMs;
  for (;;) {
    if (await answers(address)) return;
    if (!alive()) throw new Error(`Redis ended before it answered at ${JSON.stringify(address)}.`);
    if (Date.now() > end)
      throw new Error(`No Redis answers at ${JSON.stringify(address)} after ${limitMs} ms.`);
    await pause(20);
  }
}

function answers(address: Address): Promise<boolean> {
  return new Promise((answer) => {
    const ping = () => socket.write('PING\r\n');
    let socket: Socket;
    if ('path' in address) socket = connect(address, ping);
    // Only whether it answers is asked here; the tests themselves verify the certificate.
    else if (address.tls === true) socket = connectTls({ ...address, rejectUnauthorized: false }, ping);
    else socket = connect(address, ping);
    const settle = (ready: boolean) => {
      socket.destroy();
      answer(ready);
    };
    socket.setTimeout(1000, () => settle(false));
    socket.once('data', (data) => settle(!data.toString('latin1').startsWith('-LOADING')));
    // A server that insists on a client certificate ends the handshake with an alert, so it is there.
    socket.once('error', (error: NodeJS.ErrnoException) =>
      settle(error.code?.startsWith('ERR_SSL_TLSV') ?? false),
    );
    socket.once('close', () => answer(false));
  });
}
