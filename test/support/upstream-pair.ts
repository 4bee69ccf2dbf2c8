import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, connect, createServer as createNetServer, type Socket } from 'node:net';
import { routeChannelFault } from '../../src/routes/channel-rules.ts';
import { readUpstreamAddress } from '../../src/upstream/address.ts';
import {
  createUpstream,
  type StreamOpening,
  type Upstream,
  type UpstreamOptions,
} from '../../src/upstream/upstream.ts';

/** An application on a free port: what it does with each request, or with each connection. */
export type Application =
  | { readonly http: RequestListener; readonly host?: string; readonly socketPath?: string }
  | { readonly raw: (socket: Socket, received: string) => void };

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly rawHeaders: readonly string[];
  readonly text: string;
}

export interface Ask {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Record<string, string | string[]>;
  readonly body?: string | Buffer;
}

/** A server with one route to an application, both on real sockets. */
export interface UpstreamPair {
  readonly port: number;
  readonly upstream: Upstream;
  /** The application. */
  readonly application: Server | ReturnType<typeof createNetServer>;
  /** What was handed to openStream, in order; each is answered with its prelude and left open. */
  readonly opened: StreamOpening[];
  /** The lines of the log. */
  readonly lines: { readonly text: string; readonly fields: Record<string, unknown> }[];
  ask(ask?: Ask): Promise<Answer>;
  /** Writes bytes and gives back what the server says until it closes. */
  sendRaw(bytes: string): Promise<string>;
  /** Resolves when every request has been handled. */
  idle(): Promise<void>;
  close(): Promise<void>;
}

const OWN = { nativePrefix: 'signalbox:', streamPrefix: 'async-events-', realtimePrefix: '' };

export const channelCheck = (name: string): string | undefined => routeChannelFault(name, 'pubsub', OWN);

export async function startPair(
  application: Application,
  options: Partial<UpstreamOptions> = {},
): Promise<UpstreamPair> {
  const sockets = new Set<Socket>();
  const remember = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  };
  const app =
    'http' in application ? createServer(application.http) : createNetServer(rawListener(application.raw));
  app.on('connection', remember);
  if ('http' in application && application.socketPath !== undefined) app.listen(application.socketPath);
  else app.listen(0, 'http' in application ? (application.host ?? '127.0.0.1') : '127.0.0.1');
  await once(app, 'listening');

  const lines: UpstreamPair['lines'] = [];
  const upstream = createUpstream({
    address: readUpstreamAddress(urlOf(app))!,
    channelCheck,
    trustProxy: false,
    maxBodyBytes: 1024 * 1024,
    logger: {
      warn: ((fields: object, text: string) => lines.push({ text, fields: { ...fields } })) as never,
    },
    limit: { log: (_, write) => write(0) },
    ...options,
  });
  const opened: StreamOpening[] = [];
  const handled = new Set<Promise<void>>();
  const server = createServer((incoming, response) => {
    const handling = upstream
      .handle(incoming, response, {
        openStream(_, open, opening) {
          opened.push(opening);
          open.writeHead(200, {
            ...opening.headers,
            'content-type': opening.contentType ?? 'text/event-stream',
          });
          open.write(opening.prelude);
          open.end();
        },
      })
      .finally(() => handled.delete(handling));
    handled.add(handling);
  });
  server.on('connection', remember);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;

  return {
    port,
    upstream,
    application: app,
    opened,
    lines,
    async ask({ method = 'GET', path = '/', headers = {}, body } = {}) {
      const sent = request({ host: '127.0.0.1', port, method, path, headers, agent: false });
      sent.end(body);
      const [answer] = (await once(sent, 'response')) as [IncomingMessage];
      const chunks: Buffer[] = [];
      for await (const chunk of answer) chunks.push(chunk as Buffer);
      const { statusCode = 0, rawHeaders } = answer;
      return {
        status: statusCode,
        headers: answer.headers,
        rawHeaders,
        text: Buffer.concat(chunks).toString(),
      };
    },
    async sendRaw(bytes) {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => {});
      socket.write(bytes, 'latin1');
      let text = '';
      socket.setEncoding('latin1').on('data', (chunk: string) => {
        text += chunk;
      });
      await once(socket, 'close');
      return text;
    },
    async idle() {
      while (handled.size > 0) await Promise.all(handled);
    },
    async close() {
      await upstream.close();
      for (const one of [server, app]) one.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

function urlOf(server: { address(): AddressInfo | string | null }): string {
  const address = server.address() as AddressInfo | string;
  if (typeof address === 'string') return `unix:${address}`;
  const { family, port } = address;
  return family === 'IPv6' ? `http://[${address.address}]:${port}` : `http://${address.address}:${port}`;
}

/** Calls with what came so far, once the head of a request is whole. */
function rawListener(take: (socket: Socket, received: string) => void): (socket: Socket) => void {
  return (socket) => {
    let received = '';
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      received += chunk;
      if (!received.includes('\r\n\r\n')) return;
      const whole = received;
      received = '';
      take(socket, whole);
    });
  };
}
