import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** The way to a Redis on which a connection can go deaf: it stays open, and nothing arrives. */
export interface DeafLine {
  readonly url: string;
  /** New connections lead to the Redis at this URL; those that are there stay where they are. */
  lead(url: string): void;
  /**
   * Answers are no longer passed on to the connections that have sent a command with `part`; with `only`, none of the
   * packets that hold it.
   */
  swallow(part: string, only?: string): void;
  stop(): void;
}

interface Line {
  sent: string;
  swallows: ((packet: Buffer) => boolean) | undefined;
}

export async function startDeafLine(url: string): Promise<DeafLine> {
  let leadsTo = new URL(url);
  const sockets = new Set<Socket>();
  const lines = new Set<Line>();
  const server = createServer((near) => {
    const far = connect(Number(leadsTo.port), leadsTo.hostname);
    const line: Line = { sent: '', swallows: undefined };
    lines.add(line);
    const end = (): void => {
      lines.delete(line);
      for (const socket of [near, far]) {
        socket.destroy();
        sockets.delete(socket);
      }
    };
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', end).on('close', end);
    }
    near.on('data', (packet: Buffer) => {
      line.sent += packet.toString('latin1');
      far.write(packet);
    });
    far.on('data', (packet: Buffer) => {
      if (line.swallows?.(packet) !== true) near.write(packet);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    lead(to) {
      leadsTo = new URL(to);
    },
    swallow(part, only = '') {
      const deaf = [...lines].filter(({ sent }) => sent.includes(part));
      if (deaf.length === 0) throw new Error(`no connection has sent ${part}`);
      for (const line of deaf) line.swallows = (packet) => packet.includes(only);
    },
    stop() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
