import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** What stands between a client and a server and lets no WebSocket through, as some companies' proxies do. */
export interface UpgradeWall {
  readonly port: number;
  /** How it keeps a WebSocket from being one; `open`: it does not. */
  manner: 'refuses' | 'cuts' | 'open';
  /** WebSockets that were asked for, and requests of a path. */
  readonly upgrades: number;
  requestsOf(path: string): number;
  /** Connections that are WebSockets now. */
  readonly webSockets: number;
  /** Ends every connection there is. */
  cut(): void;
  stop(): Promise<void>;
}

const REFUSAL = 'HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n';

export async function startUpgradeWall(port: number): Promise<UpgradeWall> {
  const lines = new Set<Line>();
  const requests: string[] = [];
  let upgrades = 0;

  const server = createServer({ noDelay: true }, (near) => {
    const line: Line = { near, far: undefined, isWebSocket: false };
    lines.add(line);
    const end = (): void => {
      near.destroy();
      line.far?.destroy();
      lines.delete(line);
    };
    near.on('error', end).on('close', end);
    near.on('data', (bytes: Buffer) => {
      if (!line.isWebSocket) look(line, bytes.toString('latin1'));
      if (line.isWebSocket && wall.manner === 'refuses') {
        near.end(REFUSAL);
        return;
      }
      line.far ??= reach(line, end);
      line.far.write(bytes);
    });
  });

  /** A chunk that begins a request: requests on a connection that is kept are seen, too. */
  function look(line: Line, text: string): void {
    const [, path] = /^(?:GET|POST) (\/[^ ?]*)/.exec(text) ?? [];
    if (path === undefined) return;
    requests.push(path);
    if (!/\r\nupgrade: websocket/i.test(text)) return;
    upgrades += 1;
    line.isWebSocket = true;
  }

  function reach(line: Line, end: () => void): Socket {
    const far = connect({ port, host: '127.0.0.1', noDelay: true });
    far.on('error', end).on('close', end);
    far.on('data', (bytes: Buffer) => {
      line.near.write(bytes);
      // After the handshake, and before anything that is said.
      if (line.isWebSocket && wall.manner === 'cuts') line.near.end();
    });
    return far;
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const wall: UpgradeWall = {
    port: (server.address() as AddressInfo).port,
    manner: 'refuses',
    get upgrades() {
      return upgrades;
    },
    get webSockets() {
      return [...lines].filter(({ isWebSocket }) => isWebSocket).length;
    },
    requestsOf: (path) => requests.filter((request) => request === path).length,
    cut() {
      for (const { near } of lines) near.destroy();
    },
    async stop() {
      server.close();
      for (const { near } of lines) near.destroy();
      await once(server, 'close');
    },
  };
  return wall;
}

interface Line {
  readonly near: Socket;
  far: Socket | undefined;
  isWebSocket: boolean;
}
