import type { WebSocketConstructor, WebSocketLike } from '../../../client/src/index.ts';
import type { HeapClock } from '../../support/heap-clock.ts';
import type { Random } from '../../support/random.ts';

/** The server's end of one connection. */
export interface ServerEnd {
  readonly url: string;
  readonly protocols: readonly string[];
  readonly isOpen: boolean;
  send(text: string): void;
  /** Ends it for both; what is under way to the client arrives before. */
  close(code: number, reason?: string): void;
}

export interface Acceptor {
  opened(end: ServerEnd): void;
  received(end: ServerEnd, text: string): void;
  closed(end: ServerEnd): void;
}

type CloseEvent = { readonly code: number; readonly reason: string };

/**
 * Connections as networks have them: what is sent arrives later, in order, or not at all from some moment on. Whoever
 * is cut off is told so, or hears nothing any more.
 */
export class Wire {
  readonly clock: HeapClock;
  readonly random: Random;
  /** Whether a server can be reached. */
  isUp = true;
  /** How long a message takes, at most. */
  latencyMs = 40;
  readonly #acceptor: Acceptor;
  readonly #lines = new Set<Line>();

  constructor(clock: HeapClock, random: Random, acceptor: Acceptor) {
    this.clock = clock;
    this.random = random;
    this.#acceptor = acceptor;
  }

  get WebSocket(): WebSocketConstructor {
    const dial = (url: string, protocols: string[], client: WebSocketLike) => {
      const line = new Line(this, this.#acceptor, client, url, protocols);
      this.#lines.add(line);
      return line;
    };
    return class implements WebSocketLike {
      onopen: unknown;
      onmessage: unknown;
      onclose: unknown;
      onerror: unknown;
      readonly #line: Line;
      constructor(url: string, protocols: string[]) {
        this.#line = dial(url, protocols, this);
      }
      send(text: string): void {
        this.#line.fromClient(text);
      }
      close(code?: number): void {
        this.#line.closedByClient(code);
      }
    };
  }

  get ends(): readonly ServerEnd[] {
    return [...this.#lines].filter(({ isOpen }) => isOpen);
  }

  /** Every connection is gone at once, with what was under way. */
  cut(isNoticed: boolean): void {
    for (const line of this.#lines) line.cut(isNoticed);
    this.#lines.clear();
  }
}

class Line implements ServerEnd {
  readonly url: string;
  readonly protocols: readonly string[];
  isOpen = false;
  readonly #wire: Wire;
  readonly #acceptor: Acceptor;
  readonly #client: WebSocketLike;
  /** When the last message of each direction arrives: the next one is not earlier. */
  #toClientMs = 0;
  #toServerMs = 0;
  #isCut = false;
  #isClosing = false;

  constructor(wire: Wire, acceptor: Acceptor, client: WebSocketLike, url: string, protocols: string[]) {
    this.#wire = wire;
    this.#acceptor = acceptor;
    this.#client = client;
    this.url = url;
    this.protocols = protocols;
    this.#later('toServer', () => {
      if (!wire.isUp) return this.cut(true);
      this.isOpen = true;
      acceptor.opened(this);
      this.#later('toClient', () => call(client.onopen, {}));
    });
  }

  fromClient(text: string): void {
    if (this.#isClosing) return;
    this.#later('toServer', () => this.isOpen && this.#acceptor.received(this, text));
  }

  closedByClient(code = 1005): void {
    if (this.#isClosing) return;
    this.#isClosing = true;
    this.#later('toServer', () => {
      if (this.isOpen) this.close(code);
    });
  }

  send(text: string): void {
    if (!this.isOpen) return;
    this.#later('toClient', () => call(this.#client.onmessage, { data: text }));
  }

  close(code: number, reason = ''): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.#acceptor.closed(this);
    const event: CloseEvent = { code, reason };
    this.#later('toClient', () => call(this.#client.onclose, event));
  }

  cut(isNoticed: boolean): void {
    if (this.#isCut) return;
    this.#isCut = true;
    const wasOpen = this.isOpen;
    this.isOpen = false;
    if (wasOpen) this.#acceptor.closed(this);
    const event: CloseEvent = { code: 1006, reason: '' };
    if (isNoticed)
      this.#wire.clock.setTimeout(
        () => call(this.#client.onclose, event),
        this.#wire.random.below(this.#wire.latencyMs),
      );
  }

  #later(direction: 'toClient' | 'toServer', run: () => void): void {
    const { clock, random, latencyMs } = this.#wire;
    const key = direction === 'toClient' ? '#toClientMs' : '#toServerMs';
    const last = key === '#toClientMs' ? this.#toClientMs : this.#toServerMs;
    const atMs = Math.max(last, clock.now() + random.below(latencyMs));
    if (direction === 'toClient') this.#toClientMs = atMs;
    else this.#toServerMs = atMs;
    clock.setTimeout(() => {
      if (!this.#isCut) run();
    }, atMs - clock.now());
  }
}

function call(handler: unknown, event: unknown): void {
  (handler as ((event: unknown) => void) | undefined)?.(event);
}
