import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import type { RecordableHistogram } from 'node:perf_hooks';
import type { Dialect, Past } from './dialects/dialect.ts';
import { BlockParser } from './block-parser.ts';
import { clientFrame, FrameParser, OPCODE } from './frame-parser.ts';
import { Ledger } from './ledger.ts';
import { nowUs, sentAtIn, sequenceIn } from './stamp.ts';

/** Where latencies go, in µs. */
export interface Latencies {
  /** From sending to arrival, of what was sent while the client was there. */
  readonly live: RecordableHistogram;
  /** From the return of a client to the arrival of what it had missed. */
  readonly replay: RecordableHistogram;
}

export interface ClientOptions {
  readonly dialect: Dialect;
  readonly channel: number;
  readonly channelName: string;
  readonly token: string;
  /** The loopback address it comes from: one has no more than some 28,000 ports. */
  readonly localAddress: string;
  /** Whether it keeps the id of the last event, to come back with. */
  readonly remembers: boolean;
  readonly latencies: Latencies;
  /** The connection ended, and not by `vanish`. */
  readonly onLost: () => void;
}

// All clients read into one buffer: what is in it is used up before the next one reads.
const INPUT = Buffer.allocUnsafe(256 * 1024);
const HEAD_END = '\r\n\r\n';

/** One client, over all its connections: raw frames, an account of what came, and how late it came. */
export class Client {
  readonly channel: number;
  readonly ledger = new Ledger();
  readonly #options: ClientOptions;
  #socket: Socket | undefined;
  readonly #past: { -readonly [name in keyof Past]: Past[name] } = { lastId: undefined, session: undefined };
  #onOpen: (() => void) | undefined;
  #openedAtUs = 0;
  #isStalled = false;
  lastArrivalUs = 0;

  constructor(options: ClientOptions) {
    this.#options = options;
    this.channel = options.channel;
  }

  /** Connects, with what it has from before; rejects with what the server said instead of yes. */
  open(port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#openedAtUs = nowUs();
      this.#onOpen = resolve;
      let head: Buffer | undefined = Buffer.alloc(0);
      const { isStream = false, isOpenOnceUpgraded, greeting } = this.#options.dialect;
      const Parser = isStream ? BlockParser : FrameParser;
      const parser = new Parser((opcode, bytes, from, to) => this.#frame(opcode, bytes, from, to));
      const yes = `HTTP/1.1 ${isStream ? 200 : 101}`;
      const receive = (bytes: Buffer): void => {
        if (head === undefined) {
          parser.push(bytes);
          return;
        }
        head = Buffer.concat([head, bytes]);
        const end = head.indexOf(HEAD_END);
        if (end < 0) return;
        const status = head.toString('latin1', 0, head.indexOf('\r\n'));
        if (!status.startsWith(yes)) reject(new Error(status));
        const rest = head.subarray(end + HEAD_END.length);
        head = undefined;
        if (greeting !== undefined) this.#say(greeting);
        if (isOpenOnceUpgraded) resolve();
        if (rest.length > 0) parser.push(rest);
      };
      const socket = connect({
        port,
        host: '127.0.0.1',
        localAddress: this.#options.localAddress,
        noDelay: true,
        onread: {
          buffer: INPUT,
          callback: (length) => {
            receive(INPUT.subarray(0, length));
            return true;
          },
        },
      });
      this.#socket = socket;
      socket.on('error', reject);
      socket.on('close', () => {
        if (this.#socket !== socket) return;
        this.#socket = undefined;
        reject(new Error('the connection was closed'));
        this.#options.onLost();
      });
      socket.write(this.#request());
    });
  }

  /** Ends the connection without a word, as a client does whose network is gone. */
  vanish(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.destroy();
  }

  /** Stops reading: the server's writes fill the buffers between them. */
  stall(): void {
    this.#isStalled = true;
    this.#socket?.pause();
  }

  resume(): void {
    this.#socket?.resume();
  }

  #request(): string {
    const { dialect, channelName, token } = this.#options;
    const kind = dialect.isStream
      ? ['Accept: text/event-stream']
      : [
          'Upgrade: websocket',
          'Connection: Upgrade',
          `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
          'Sec-WebSocket-Version: 13',
        ];
    return [
      `GET ${dialect.target(channelName, this.#past)} HTTP/1.1`,
      'Host: localhost',
      ...kind,
      ...(dialect.headers?.(token) ?? [`Cookie: async-token=${token}`]),
      '',
      '',
    ].join('\r\n');
  }

  #frame(opcode: number, bytes: Buffer, from: number, to: number): void {
    if (opcode === OPCODE.ping) {
      this.#socket?.write(clientFrame(OPCODE.pong, bytes.subarray(from, to)));
      return;
    }
    if (opcode !== OPCODE.text) return;
    const { dialect, latencies, remembers } = this.#options;
    if (!dialect.isEvent(bytes, from, to)) {
      this.#answer(bytes.toString('utf8', from, to));
      return;
    }
    const end = dialect.eventEnd(bytes, from, to);
    const sequence = sequenceIn(bytes, end);
    const sentAtUs = sentAtIn(bytes, end);
    if (Number.isNaN(sequence) || Number.isNaN(sentAtUs)) throw new Error('an event without a stamp came');
    const now = nowUs();
    this.lastArrivalUs = now;
    this.ledger.receive(sequence);
    if (remembers) this.#past.lastId = dialect.idOf(bytes, from, to);
    if (this.#isStalled) return;
    const { live, replay } = latencies;
    if (sentAtUs < this.#openedAtUs) replay.record(Math.max(1, Math.round(now - this.#openedAtUs)));
    else live.record(Math.max(1, Math.round(now - sentAtUs)));
  }

  #answer(text: string): void {
    const { dialect, channelName } = this.#options;
    const { send, isOpen, session } = dialect.answer(text, this.#past, channelName);
    if (send !== undefined) this.#say(send);
    if (session !== undefined) this.#past.session = session;
    if (isOpen) this.#onOpen?.();
  }

  #say(text: string): void {
    this.#socket?.write(clientFrame(OPCODE.text, Buffer.from(text)));
  }
}
