import type { Socket } from 'node:net';
import jwt from 'jsonwebtoken';
import { WebSocket } from 'ws';
import { eventually } from '../support/eventually.ts';
import { JWT_SECRET } from '../support/signalbox.ts';

/** A frame of the server, as its client reads it. */
export interface Frame {
  readonly type: string;
  readonly ref?: number;
  readonly id?: string;
  readonly channel?: string;
  readonly data?: unknown;
  readonly [field: string]: unknown;
}

/** A token that lasts an hour, with some of its claims changed. */
export function tokenWith(claims: object = {}): string {
  const exp = Math.floor(Date.now() / 1000) + 3600;
  return jwt.sign(
    { aud: 'signalbox', sub: '5', channels: ['*'], publish: ['*'], exp, ...claims },
    JWT_SECRET,
  );
}

export interface ClientOptions {
  readonly token?: string | undefined;
  readonly protocols?: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
  readonly path?: string;
  /** Whether it offers permessage-deflate; it does unless this is false. */
  readonly isCompressing?: boolean;
}

/** A client of the native protocol, as plain as can be. */
export class NativeClient {
  readonly frames: Frame[] = [];
  closed: { readonly code: number; readonly reason: string } | undefined;
  readonly #socket: WebSocket;
  #connection: Socket | undefined;
  #ref = 0;

  constructor(
    port: number,
    {
      token = tokenWith(),
      protocols = [],
      headers = {},
      path = '/',
      isCompressing = true,
    }: ClientOptions = {},
  ) {
    const bearer = token === '' ? undefined : { authorization: `Bearer ${token}` };
    this.#socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, ['signalbox.v1', ...protocols], {
      headers: { ...bearer, ...headers },
      perMessageDeflate: isCompressing && { threshold: 0 },
    });
    this.#socket.on('upgrade', ({ socket }) => {
      this.#connection = socket;
    });
    this.#socket.on('error', () => {});
    this.#socket.on('message', (data: Buffer) => void this.frames.push(JSON.parse(data.toString()) as Frame));
    this.#socket.on('close', (code, reason) => {
      this.closed = { code, reason: reason.toString() };
    });
  }

  /** A client that has been welcomed. */
  static async open(port: number, options?: ClientOptions, hello: object = {}): Promise<NativeClient> {
    // Beside Superset's feed a server is ready before it reads ours: 1012 says to come again.
    return eventually('welcomed', async () => {
      const client = new NativeClient(port, options);
      await client.connects();
      client.send({ type: 'hello', ...hello, ref: client.#ref++ });
      await eventually('an answer', () => client.frames.length > 0 || client.closed !== undefined);
      return client.closed?.code === 1012 ? undefined : client;
    });
  }

  async connects(): Promise<void> {
    await eventually('connected', async () => this.#socket.readyState !== WebSocket.CONNECTING);
  }

  get protocol(): string {
    return this.#socket.protocol;
  }

  get extensions(): string {
    return this.#socket.extensions;
  }

  /** What came over the wire. */
  get bytesRead(): number {
    return this.#connection?.bytesRead ?? 0;
  }

  send(frame: object | string): void {
    this.#socket.send(typeof frame === 'string' ? frame : JSON.stringify(frame));
  }

  sendBytes(bytes: Buffer): void {
    this.#socket.send(bytes);
  }

  /** Sends a frame and gives its answer. */
  async ask(frame: object): Promise<Frame> {
    const ref = this.#ref++;
    this.send({ ...frame, ref });
    return this.receives((answer) => answer.ref === ref);
  }

  async receives(isIt: (frame: Frame) => boolean): Promise<Frame> {
    await eventually('a frame', async () => this.frames.some(isIt));
    return this.frames.find(isIt) as Frame;
  }

  events(channel: string): Frame[] {
    return this.frames.filter((frame) => frame.type === 'event' && frame.channel === channel);
  }

  data(channel: string): unknown[] {
    return this.events(channel).map(({ data }) => data);
  }

  async hears(channel: string, count: number): Promise<unknown[]> {
    await eventually(`${count} events`, async () => this.events(channel).length >= count);
    return this.data(channel);
  }

  async closes(): Promise<{ readonly code: number; readonly reason: string }> {
    await eventually('closed', async () => this.closed !== undefined);
    return this.closed as { code: number; reason: string };
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** The line is cut. */
  cut(): void {
    this.#socket.terminate();
  }
}
