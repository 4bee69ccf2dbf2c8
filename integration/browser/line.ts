import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A line between a browser and a server that can be cut, with both of them still there. */
export interface Line {
  readonly url: string;
  /** Ends every connection, and each new one at once, until it is mended. */
  cut(): void;
  /** Cuts it in the place of bringing the browser what holds this text. */
  cutAt(text: string): void;
  mend(): void;
  /** Whether it has brought the browser this text, in one piece. */
  hasCarried(text: string): boolean;
  /** From the next connection on it leads to another server. */
  leadTo(port: number): void;
  stop(): Promise<void>;
}

export async function startLine(port: number): Promise<Line> {
  const sockets = new Set<Socket>();
  let isCut = false;
  let last: string | undefined;
  let target = port;
  const carried: Buffer[] = [];
  const endAll = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  const cut = (): void => {
    isCut = true;
    last = undefined;
    endAll();
  };
  const server = createServer((near) => {
    if (isCut) {
      near.destroy();
      return;
    }
    const far = connect(target, '127.0.0.1');
    const end = (): void => {
      for (const socket of [near, far]) {
        socket.destroy();
        sockets.delete(socket);
      }
    };
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', end).on('close', end);
    }
    near.pipe(far);
    far.on('data', (chunk: Buffer) => {
      if (last !== undefined && chunk.includes(last)) cut();
      else {
        carried.push(chunk);
        near.write(chunk);
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut,
    cutAt(text) {
      last = text;
    },
    mend() {
      isCut = false;
    },
    hasCarried: (text) => carried.some((chunk) => chunk.includes(text)),
    leadTo(next) {
      target = next;
    },
    async stop() {
      server.close();
      endAll();
      await once(server, 'close');
    },
  };
}
