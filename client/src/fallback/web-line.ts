import { callHandler, type Clock, host, type WebSocketLike } from '../host.ts';

export interface WebLineFacts {
  /** The server has said something. */
  heard(): void;
  /** It was over before that. */
  failed(): void;
}

/** What only a server that speaks the protocol says; whatever is in between has the others. */
const isOfServer = (code: number): boolean => code >= 4000 || code === 1012 || code === 1013;

/** A WebSocket, of which it is noted whether it works. */
export class WebLine implements WebSocketLike {
  onopen: unknown;
  onmessage: unknown;
  onclose: unknown;
  onerror: unknown;
  readonly #socket: WebSocketLike;
  readonly #facts: WebLineFacts;
  readonly #clock: Clock;
  readonly #patience: unknown;
  #isSettled = false;

  /** `isOpen`: it was opened before, to try whether it can be. */
  constructor(socket: WebSocketLike, clock: Clock, patienceMs: number, facts: WebLineFacts, isOpen: boolean) {
    this.#socket = socket;
    this.#facts = facts;
    this.#clock = clock;
    socket.onopen = () => callHandler(this.onopen, {});
    socket.onmessage = (event: unknown) => {
      if (this.#settle()) facts.heard();
      callHandler(this.onmessage, event);
    };
    socket.onclose = (event: { readonly code: number }) => this.#closed(event);
    socket.onerror = () => {};
    // Whatever keeps it from being opened may say nothing at all.
    this.#patience = clock.setTimeout(() => {
      socket.close();
      this.#closed({ code: 1006 });
    }, patienceMs);
    if (isOpen) host.queueMicrotask(() => callHandler(this.onopen, {}));
  }

  send(text: string): void {
    this.#socket.send(text);
  }

  close(code?: number): void {
    // Who closes for good has not found out anything.
    if (this.#settle() && code !== 1000) this.#facts.failed();
    this.#socket.close(code);
  }

  #closed(event: { readonly code: number }): void {
    if (this.#settle()) {
      if (isOfServer(event.code)) this.#facts.heard();
      else this.#facts.failed();
    }
    const { onclose } = this;
    this.onclose = undefined;
    callHandler(onclose, event);
  }

  /** False: it was known before. */
  #settle(): boolean {
    if (this.#isSettled) return false;
    this.#isSettled = true;
    this.#clock.clearTimeout(this.#patience);
    return true;
  }
}
