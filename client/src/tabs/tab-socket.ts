import { callHandler, type WebSocketLike } from '../host.ts';
import type { Message } from './post.ts';

/** A socket whose other end is in the leading tab. */
export class TabSocket implements WebSocketLike {
  onopen: unknown;
  onmessage: unknown;
  onclose: unknown;
  onerror: unknown;
  readonly #id: string;
  readonly #say: (message: Message) => void;
  /** Who serves it. A leader that was frozen and runs again may hear of it, too. */
  #hub: string | undefined;
  #isClosed = false;

  constructor(id: string, say: (message: Message) => void) {
    this.#id = id;
    this.#say = say;
    say({ kind: 'open', id });
  }

  get isOpen(): boolean {
    return this.#hub !== undefined;
  }

  send(text: string): void {
    if (!this.#isClosed && this.#hub !== undefined)
      this.#say({ kind: 'up', id: this.#id, hub: this.#hub, text });
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#say({ kind: 'left', id: this.#id });
  }

  hear(message: Message): void {
    if (this.#isClosed) return;
    if (message.kind === 'leader') this.#led();
    else if (message.kind === 'opened' && message.id === this.#id) {
      // Two have answered: one of them leads no more.
      if (this.isOpen && message.hub !== this.#hub) this.#end(1012, 'restart');
      if (this.isOpen) return;
      this.#hub = message.hub;
      callHandler(this.onopen, {});
    } else if (message.kind === 'down' && message.ids.includes(this.#id)) {
      callHandler(this.onmessage, { data: message.text });
    } else if (message.kind === 'end' && message.id === this.#id) this.#end(message.code, message.reason);
  }

  /** Another tab leads from now on: it knows nothing of this socket. */
  #led(): void {
    if (!this.isOpen) {
      this.#say({ kind: 'open', id: this.#id });
      return;
    }
    this.#end(1012, 'restart');
  }

  #end(code: number, reason: string): void {
    // There is no crowd of these: they come back at once.
    if (code === 1012) callHandler(this.onmessage, { data: '{"type":"reconnect","after":0}' });
    if (this.#isClosed) return;
    this.#isClosed = true;
    callHandler(this.onclose, { code, reason });
  }
}
