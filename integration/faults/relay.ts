import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A line to a Redis on which something can be made to happen between two blocking reads, or two packets. */
export interface Relay {
  readonly url: string;
  /** Does `act` when a blocking read has ended with nothing, before the reader learns of it. */
  betweenReads<T>(act: () => Promise<T>): Promise<T>;
  /**
   * Breaks the line of the next command that holds `part`: before the server has it, or before its answer is
   * passed on. Only that line, and only once.
   */
  breakAt(part: string, when: 'command' | 'answer'): void;
  /** Ends each new connection at once, until it is mended. */
  refuse(): void;
  /** Ends every connection, and each new one at once, until it is mended. */
  cut(): void;
  mend(): void;
  stop(): void;
}

/** A blocking read that ended with nothing, in RESP2. */
const NOTHING = Buffer.from('*-1\r\n');

/** Relays every connection to the Redis at `url`. */
export async function startRelay(url: string): Promise<Relay> {
  const { hostname, port } = new URL(url);
  const sockets = new Set<Socket>();
  let isCut = false;
  let onNothing: (() => Promise<void>) | undefined;
  let breaking: { readonly part: string; readonly when: 'command' | 'answer' } | undefined;
  const server = createServer((near) => {
    if (isCut) {
      near.destroy();
      return;
    }
    const far = connect(Number(port), hostname);
    let answered = Promise.resolve();
    const end = () => {
      near.destroy();
      far.destroy();
      sockets.delete(near);
      sockets.delete(far);
    };
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', end).on('close', end);
    }
    let isBreaking = false;
    near.on('data', (chunk: Buffer) => {
      if (breaking !== undefined && chunk.includes(breaking.part)) {
        isBreaking = true;
        const { when } = breaking;
        breaking = undefined;
        if (when === 'command') {
          end();
          return;
        }
      }
      far.write(chunk);
    });
    far.on('data', (chunk: Buffer) => {
      if (isBreaking) {
        end();
        return;
      }
      answered = answered.then(async () => {
        const act = chunk.subarray(0, NOTHING.length).equals(NOTHING) ? onNothing : undefined;
        if (act !== undefined) {
          onNothing = undefined;
          await act();
        }
        near.write(chunk);
      });
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    betweenReads: (act) =>
      new Promise((resolve, reject) => {
        onNothing = () => act().then(resolve, reject);
      }),
    breakAt(part, when) {
      breaking = { part, when };
    },
    refuse() {
      isCut = true;
    },
    cut() {
      isCut = true;
      for (const socket of sockets) socket.destroy();
    },
    mend() {
      isCut = false;
    },
    stop() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
