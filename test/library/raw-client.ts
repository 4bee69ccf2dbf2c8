import { once } from 'node:events';
import { WebSocket } from 'ws';

/** A frame of the server. */
export interface Frame {
  readonly type: string;
  readonly [field: string]: unknown;
}

/** A client that says what it likes: one of no good will, or of another language. */
export class RawClient {
  readonly frames: Frame[] = [];
  closed: { readonly code: number; readonly reason: string } | undefined;
  readonly socket: WebSocket;
  #waiting: (() => void)[] = [];

  constructor(url: string, token: string) {
    this.socket = new WebSocket(url, 'signalbox.v1', {
      headers: token === '' ? {} : { authorization: `Bearer ${token}` },
    });
    this.socket.on('error', () => {});
    this.socket.on('message', (data: Buffer) => {
      this.frames.push(JSON.parse(String(data)) as Frame);
      this.#look();
    });
    this.socket.on('close', (code, reason: Buffer) => {
      this.closed = { code, reason: String(reason) };
      this.#look();
    });
  }

  /** One that has been welcomed. */
  static async open(url: string, token = 'ann'): Promise<RawClient> {
    const client = new RawClient(url, token);
    await once(client.socket, 'open');
    await client.ask({ type: 'hello', ref: 'hello' });
    return client;
  }

  send(frame: object | string): void {
    this.socket.send(typeof frame === 'string' ? frame : JSON.stringify(frame));
  }

  /** Says a frame that has a `ref`; resolves with its answer. */
  async ask(frame: { readonly ref: string | number; readonly [field: string]: unknown }): Promise<Frame> {
    this.send(frame);
    return await this.heard(({ ref }) => ref === frame.ref);
  }

  /** Resolves with the first frame of which this is true, be it one that has come. */
  async heard(isIt: (frame: Frame) => boolean): Promise<Frame> {
    return await this.#until(() => this.frames.find(isIt));
  }

  async whenClosed(): Promise<{ readonly code: number; readonly reason: string }> {
    return await this.#until(() => this.closed);
  }

  #look(): void {
    for (const look of this.#waiting.splice(0)) look();
  }

  #until<T>(find: () => T | undefined): Promise<T> {
    return new Promise((resolve) => {
      const look = (): void => {
        const found = find();
        if (found === undefined) this.#waiting.push(look);
        else resolve(found);
      };
      look();
    });
  }
}
