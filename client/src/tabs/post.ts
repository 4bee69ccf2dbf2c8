import { type BroadcastChannelConstructor, type BroadcastChannelLike, host } from '../host.ts';

/** What tabs say to each other. `id` is that of a tab's socket, wherever it is; `hub` of who serves it. */
export type Message =
  | { readonly kind: 'leader' }
  | { readonly kind: 'open'; readonly id: string }
  | { readonly kind: 'opened'; readonly id: string; readonly hub: string }
  | { readonly kind: 'up'; readonly id: string; readonly hub: string; readonly text: string }
  | { readonly kind: 'down'; readonly ids: readonly string[]; readonly text: string }
  | { readonly kind: 'left'; readonly id: string }
  | { readonly kind: 'end'; readonly id: string; readonly code: number; readonly reason: string };

/** Says everything to all tabs, in order: to this one too, which a BroadcastChannel leaves out. */
export class Post {
  readonly #channel: BroadcastChannelLike;
  readonly #hear: (message: Message) => void;
  #isAlone = false;
  #isClosed = false;

  constructor(name: string, BroadcastChannel: BroadcastChannelConstructor, hear: (message: Message) => void) {
    this.#hear = hear;
    this.#channel = new BroadcastChannel(name);
    this.#channel.onmessage = ({ data }: { data: Message }) => this.#deliver(data);
  }

  say(message: Message): void {
    if (this.#isClosed) return;
    if (!this.#isAlone) this.#channel.postMessage(message);
    // Later, as for the others: nobody hears from within what he says.
    host.queueMicrotask(() => this.#deliver(message));
  }

  /** From now on nobody else is spoken to or heard. */
  leaveOthers(): void {
    this.#isAlone = true;
    this.#channel.close();
  }

  close(): void {
    this.#isClosed = true;
    this.#channel.close();
  }

  #deliver(message: Message): void {
    if (!this.#isClosed) this.#hear(message);
  }
}
