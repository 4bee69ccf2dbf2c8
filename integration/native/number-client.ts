import { WebSocket } from 'ws';
import { tokenWith } from './client.ts';

/** How a channel is joined, and after which number it goes on. */
export interface NumberClientOptions {
  readonly channel: string;
  readonly user?: string;
  readonly lastId?: string | undefined;
  readonly epoch?: string | undefined;
  /** The number of the event at `lastId`; left out: whichever comes first is the first. */
  readonly last?: number | undefined;
}

/** What an event begins with: all that is looked at of it. */
const HEAD_BYTES = 250;
const EVENT = /^\{"type":"event",.*?"id":"([\d-]+)".*?"data":\{"n":(\d+)/;
const MAX_FAULTS = 5;

/** A client of one channel of numbered events: it keeps none of them, only whether each was the next one. */
export class NumberClient {
  last: number | undefined;
  lastId: string | undefined;
  epoch: string | undefined;
  /** What `subscribed` said. */
  recovered: boolean | undefined;
  /** What should not have come. */
  readonly faults: string[] = [];
  heard = 0;
  /** What it was told by `reconnect`. */
  reconnect: { readonly after: number; readonly atMs: number } | undefined;
  closed: { readonly code: number; readonly atMs: number } | undefined;
  /** Called for each event. */
  onEvent: ((client: NumberClient) => void) | undefined;
  onSubscribed: (() => void) | undefined;
  readonly socket: WebSocket;
  readonly #options: NumberClientOptions;

  constructor(port: number, options: NumberClientOptions) {
    this.#options = options;
    this.last = options.last;
    this.lastId = options.lastId;
    this.epoch = options.epoch;
    this.socket = new WebSocket(`ws://127.0.0.1:${port}/`, ['signalbox.v1'], {
      headers: { authorization: `Bearer ${tokenWith({ sub: options.user ?? '5' })}` },
      perMessageDeflate: false,
      skipUTF8Validation: true,
    });
    this.socket.on('error', () => {});
    this.socket.on('open', () => this.socket.send('{"type":"hello","ref":0}'));
    this.socket.on('message', (data: Buffer) => this.#receive(data));
    this.socket.on('close', (code) => {
      this.closed = { code, atMs: performance.now() };
    });
  }

  #receive(data: Buffer): void {
    const [, id, number] = EVENT.exec(data.toString('latin1', 0, HEAD_BYTES)) ?? [];
    if (id === undefined) {
      this.#hear(JSON.parse(data.toString()) as Frame);
      return;
    }
    const n = Number(number);
    if (this.last !== undefined && n !== this.last + 1) this.#fault(`${n} after ${this.last}`);
    this.last = n;
    this.lastId = id;
    this.heard += 1;
    this.onEvent?.(this);
  }

  #hear(frame: Frame): void {
    switch (frame.type) {
      case 'welcome': {
        const { channel, lastId, epoch } = this.#options;
        this.socket.send(JSON.stringify({ type: 'subscribe', ref: 1, channel, lastId, epoch }));
        return;
      }
      case 'subscribed':
        this.recovered = frame.recovered;
        this.epoch = frame.epoch;
        this.lastId = frame.id;
        this.onSubscribed?.();
        return;
      case 'ping':
        // What it has it has without being told so, and `lastId` stays that of an event.
        this.socket.send('{"type":"pong"}');
        return;
      case 'reconnect':
        this.reconnect = { after: frame.after as number, atMs: performance.now() };
        return;
      default:
        this.#fault(JSON.stringify(frame));
    }
  }

  #fault(what: string): void {
    if (this.faults.length < MAX_FAULTS) this.faults.push(what);
  }
}

interface Frame {
  readonly type: string;
  readonly id?: string;
  readonly epoch?: string;
  readonly recovered?: boolean;
  readonly after?: number;
}
