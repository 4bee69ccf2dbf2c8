import { once } from 'node:events';
import { createServer, type IncomingMessage, request as ask, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** One origin: pages of a test, and behind it the server, as behind a proxy. */
export interface Site {
  readonly url: string;
  /** WebSockets that are open now. */
  readonly open: number;
  /** WebSockets that were ever asked for. */
  readonly opened: number;
  /** Requests that were passed on, as `POST /ticket`. */
  readonly requests: readonly string[];
  /** Ends every connection, and each new one at once, until it is mended. */
  cut(): void;
  mend(): void;
  stop(): void;
}

export interface SitePage {
  readonly type: string;
  readonly text: string;
}

/** Serves the pages; all else is a matter of the server at a port of this machine. */
export async function startSite(port: number, pages: Readonly<Record<string, SitePage>> = {}): Promise<Site> {
  const sockets = new Set<Duplex>();
  const webSockets = new Set<Duplex>();
  const requests: string[] = [];
  let isCut = false;
  let opened = 0;

  const watch = (socket: Duplex, onEnd = () => {}): void => {
    const end = () => {
      socket.destroy();
      sockets.delete(socket);
      webSockets.delete(socket);
      onEnd();
    };
    sockets.add(socket);
    socket.on('error', end).on('close', end);
  };

  const site: Server = createServer((request, response) => {
    const { method = '', url = '', headers } = request;
    const page = pages[url];
    if (page !== undefined) {
      response.setHeader('content-type', page.type).end(page.text);
      return;
    }
    requests.push(`${method} ${url}`);
    const passed = ask({ port, host: '127.0.0.1', method, path: url, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    passed.on('error', () => response.destroy());
    request.pipe(passed);
  });
  site.on('connection', (socket: Socket) => {
    if (isCut) socket.destroy();
    else watch(socket);
  });
  site.on('upgrade', (request: IncomingMessage, near: Duplex, head: Buffer) => {
    opened += 1;
    webSockets.add(near);
    const far = connect(port, '127.0.0.1');
    watch(far, () => near.destroy());
    near.on('close', () => far.destroy());
    far.write(`${headOf(request)}\r\n\r\n`);
    far.write(head);
    near.pipe(far).pipe(near);
  });
  site.listen(0, '127.0.0.1');
  await once(site, 'listening');
  return {
    url: `http://127.0.0.1:${(site.address() as AddressInfo).port}`,
    get open() {
      return webSockets.size;
    },
    get opened() {
      return opened;
    },
    requests,
    cut() {
      isCut = true;
      for (const socket of sockets) socket.destroy();
    },
    mend() {
      isCut = false;
    },
    stop() {
      site.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** A request up to its empty line, as it came. */
function headOf({ method, url, rawHeaders }: IncomingMessage): string {
  const lines = rawHeaders.flatMap((name, at) => (at % 2 === 0 ? [`${name}: ${rawHeaders[at + 1]}`] : []));
  return [`${method} ${url} HTTP/1.1`, ...lines].join('\r\n');
}
