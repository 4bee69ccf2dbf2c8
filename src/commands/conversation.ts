import { WebSocket } from 'ws';
import type { StreamId } from '../event/stream-id.ts';
import { ERRORS } from '../protocol/native/error-codes.ts';
import { isReservedChannel } from '../protocol/native/names.ts';
import type { ErrorFrame, ServerFrame } from '../protocol/native/server-frame.ts';

/** Up to where everything of a channel was heard; without an epoch until the server has said it. */
export interface Position {
  readonly id: StreamId;
  readonly epoch?: string;
}

export interface ConversationDeps {
  readonly url: URL;
  /** The Authorization header. */
  readonly credential: string;
  readonly channels: readonly string[];
  /** Of the channels, and of the user's and the session's own; moved on by what is heard. */
  readonly positions: Map<string, Position>;
  /** All channels are subscribed; the server's own for this user are among these. */
  onJoined(channels: readonly string[]): void;
  /** A subscription is asked for again a little later; why, in words. */
  onWait(why: string): void;
  /** A frame that is not about the connection itself, in one line. False: no more for now. */
  onFrame(frame: ServerFrame, line: string): boolean;
}

/** How a connection ended. */
export interface End {
  readonly code: number;
  readonly reason: string;
  readonly wasWelcome: boolean;
  /** Why it was not made, or was lost, in words. */
  readonly fault: string | undefined;
  /** What the server wants to have waited, in ms. */
  readonly after: number | undefined;
  /** A channel that will not be given: nothing is to be tried again. */
  readonly refusal: string | undefined;
}

const HANDSHAKE_TIMEOUT_MS = 10_000;
/** How long nothing may come, in the server's pings. */
const SILENT_INTERVALS = 1.5;
const DEFAULT_RETRY_MS = 1_000;
const CLOSE_TIMEOUT_MS = 1_000;

/** One connection with `signalbox.v1`, from its opening to its end. */
export class Conversation {
  /** Never rejects. */
  readonly ended: Promise<End>;
  readonly #deps: ConversationDeps;
  readonly #socket: WebSocket;
  /** What this connection has been given: only of these do its pings tell. */
  readonly #joined = new Set<string>();
  #next = 0;
  #wasWelcome = false;
  #fault: string | undefined;
  #after: number | undefined;
  #refusal: string | undefined;
  #silence: NodeJS.Timeout | undefined;
  #retry: NodeJS.Timeout | undefined;
  #pingInterval = 0;

  constructor(deps: ConversationDeps) {
    this.#deps = deps;
    const url = new URL(deps.url);
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    const options = {
      headers: { authorization: deps.credential },
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
      closeTimeout: CLOSE_TIMEOUT_MS,
    };
    const socket = new WebSocket(url, ['signalbox.v1'], options);
    this.#socket = socket;
    socket.on('open', () => this.#hello());
    socket.on('message', (data: Buffer) => this.#hear(data.toString()));
    socket.on('error', (error: Error & { readonly code?: string }) => {
      // Where a name has several addresses Node has no message, but a code.
      this.#fault ??= error.message === '' ? (error.code ?? error.name) : error.message;
    });
    this.ended = new Promise((resolve) => {
      socket.on('close', (code, reason) => {
        clearTimeout(this.#silence);
        clearTimeout(this.#retry);
        resolve({
          code,
          reason: reason.toString(),
          wasWelcome: this.#wasWelcome,
          fault: this.#fault,
          after: this.#after,
          refusal: this.#refusal,
        });
      });
    });
  }

  /** Says goodbye; a server that does not answer is not waited for. */
  close(): void {
    this.#socket.close(1000);
    // Whoever is paused does not hear the answer.
    this.#socket.resume();
  }

  /** Goes on hearing, after `onFrame` has said that it is enough. */
  resume(): void {
    this.#socket.resume();
    this.#listen();
  }

  #hello(): void {
    // A server that never says welcome is as good as none.
    this.#pingInterval = HANDSHAKE_TIMEOUT_MS;
    this.#listen();
    const own = [...this.#deps.positions].filter(([channel]) => isReservedChannel(channel));
    const positions = Object.fromEntries(own.map(([channel, { id }]) => [channel, id]));
    this.#send({ type: 'hello', ref: 'hello', positions, epoch: own[0]?.[1].epoch });
  }

  #hear(text: string): void {
    this.#listen();
    let frame: ServerFrame;
    try {
      frame = JSON.parse(text) as ServerFrame;
    } catch {
      // What it was cannot be known, so it must be sent again.
      this.#giveUp('a frame that is not JSON');
      return;
    }
    this.#take(frame);
    // Between the members of an event's data there may be line breaks; inside a text there are none.
    if (!this.#deps.onFrame(frame, text.replaceAll(/[\r\n]+/g, ' '))) this.#pause();
  }

  #take(frame: ServerFrame): void {
    const { positions } = this.#deps;
    switch (frame.type) {
      case 'welcome':
        this.#wasWelcome = true;
        this.#pingInterval = frame.pingInterval;
        this.#listen();
        for (const { channel, id, epoch } of frame.subscriptions) this.#join(channel, { id, epoch });
        this.#joinNext();
        break;
      case 'subscribed':
        this.#join(frame.channel, frame);
        this.#next += 1;
        this.#joinNext();
        break;
      case 'event':
      case 'snapshot':
      case 'gap':
        positions.set(frame.channel, { ...positions.get(frame.channel), ...epochOf(frame), id: frame.id });
        break;
      case 'ping':
        this.#send({ type: 'pong' });
        for (const channel of frame.id === undefined ? [] : this.#joined) {
          positions.set(channel, { ...positions.get(channel), id: frame.id as StreamId });
        }
        break;
      case 'unsubscribed':
        this.#refuse(`${frame.channel}: the server has ended the subscription`);
        break;
      case 'reconnect':
        this.#after = frame.after;
        break;
      case 'error':
        this.#refused(frame);
        break;
      default:
    }
  }

  #join(channel: string, { id, epoch }: Position): void {
    this.#deps.positions.set(channel, { id, ...(epoch !== undefined && { epoch }) });
    this.#joined.add(channel);
  }

  /** One after the other: a hundred at once are more than a server takes. */
  #joinNext(): void {
    const channel = this.#deps.channels[this.#next];
    if (channel === undefined) {
      this.#deps.onJoined([...this.#joined]);
      return;
    }
    const position = this.#deps.positions.get(channel);
    this.#send({ type: 'subscribe', ref: this.#next, channel, lastId: position?.id, epoch: position?.epoch });
  }

  #refused({ ref, code, message, retryAfter }: ErrorFrame): void {
    if (ref === undefined) {
      this.#after = retryAfter;
      return;
    }
    const what = ref === this.#next ? this.#deps.channels[this.#next] : ref;
    const words = `${what}: ${code}: ${message}`;
    // What it has too many of, it will have too many of for ever: nothing is given back.
    if (ref !== this.#next || ERRORS[code].retry !== 'backoff' || code === 'too_many')
      return this.#refuse(words);
    this.#deps.onWait(words);
    this.#retry = setTimeout(() => this.#joinNext(), retryAfter ?? DEFAULT_RETRY_MS);
  }

  #refuse(words: string): void {
    this.#refusal = words;
    this.#socket.close(1000);
  }

  #pause(): void {
    this.#socket.pause();
    clearTimeout(this.#silence);
  }

  #listen(): void {
    clearTimeout(this.#silence);
    if (this.#pingInterval === 0 || this.#socket.isPaused) return;
    const limitMs = this.#pingInterval * SILENT_INTERVALS;
    this.#silence = setTimeout(() => this.#giveUp(`nothing was heard for ${limitMs} ms`), limitMs);
  }

  #giveUp(fault: string): void {
    this.#fault = fault;
    this.#socket.terminate();
  }

  #send(frame: object): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(frame));
  }
}

const epochOf = (frame: ServerFrame): { readonly epoch?: string } =>
  frame.type === 'gap' && frame.epoch !== undefined ? { epoch: frame.epoch } : {};
