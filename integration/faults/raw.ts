import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { JWT_SECRET } from '../support/signalbox.ts';
import { token } from '../support/superset.ts';

/** What a server answered, taken apart no further than a test needs. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Sends these bytes as they are, and answers what came until the server ended the connection. */
export async function exchange(port: number, text: string): Promise<RawAnswer> {
  const socket = connect(port, '127.0.0.1');
  let answer = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    answer += chunk;
  });
  socket.on('error', () => {});
  socket.write(text);
  await once(socket, 'close');
  return parse(answer);
}

/** A request without a body, on a connection that is to end with its answer. */
export function get(target: string): string {
  return `GET ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`;
}

export interface UpgradeOptions {
  readonly target?: string;
  /** The whole `Cookie` header; absent: none is sent. */
  readonly cookie?: string | undefined;
  readonly origin?: string;
}

/** A WebSocket upgrade. */
export function upgrade({ target = '/', cookie, origin }: UpgradeOptions): string {
  return [
    `GET ${target} HTTP/1.1`,
    'Host: localhost',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ...(cookie === undefined ? [] : [`Cookie: ${cookie}`]),
    ...(origin === undefined ? [] : [`Origin: ${origin}`]),
    '',
    '',
  ].join('\r\n');
}

/** The cookie of Superset's streams clients. */
export function cookieOf(claims: Readonly<Record<string, unknown>>, secret: string = JWT_SECRET): string {
  return `async-token=${token(claims, secret)}`;
}

/** A WebSocket of which only the upgrade was done: it answers nothing by itself, and never ends its side. */
export async function openRaw(port: number, options: UpgradeOptions): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.on('error', () => {});
  socket.write(upgrade(options));
  const [head] = (await once(socket, 'data')) as [Buffer];
  if (!head.toString('latin1').startsWith('HTTP/1.1 101')) throw new Error(head.toString('latin1'));
  return socket;
}

/** A masked frame as a client sends it; the mask of zeros leaves the payload readable. */
export function clientFrame(opcode: number, payload: Buffer): Buffer {
  return Buffer.concat([Buffer.from([0x80 | opcode, 0x80 | payload.length, 0, 0, 0, 0]), payload]);
}

function parse(answer: string): RawAnswer {
  const [head = '', body = ''] = answer.split('\r\n\r\n');
  const [status = '', ...lines] = head.split('\r\n');
  const headers = Object.fromEntries(
    lines.map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
  return { status: Number(status.split(' ')[1]), headers, body };
}
