import { Client, type Connection } from '../connection.ts';
import { type BroadcastChannelConstructor, host, LONGEST_TIMER_MS, type Locks, uniqueId } from '../host.ts';
import type { TabsOptions } from '../tabs.ts';
import { Hub } from './hub.ts';
import { type Message, Post } from './post.ts';
import { TabSocket } from './tab-socket.ts';

/** One tab: a connection of its own to whichever tab leads, and the lead when it is its turn. */
export class Tab {
  readonly connection: Connection;
  readonly #post: Post;
  #socket: TabSocket | undefined;
  #hub: Hub | undefined;
  #release = () => {};

  constructor(
    url: string,
    { name = url, token, ticket, ...options }: TabsOptions,
    locks: Locks,
    BroadcastChannel: BroadcastChannelConstructor,
  ) {
    const post = new Post(`signalbox:${name}`, BroadcastChannel, (message) => this.#hear(message));
    const take = (socket: TabSocket) => {
      this.#socket = socket;
    };
    this.#post = post;
    const Socket = class extends TabSocket {
      constructor() {
        super(uniqueId(), (message) => post.say(message));
        take(this);
      }
    };
    // The leader keeps to what the server allows, and has the credentials.
    // Whoever leads next says so, and nobody else can be waited for.
    const patience = { framesPerSecond: 1e6, connectTimeoutMs: LONGEST_TIMER_MS };
    this.connection = new Client(url, { ...options, ...patience, WebSocket: Socket });
    const abort = new host.AbortController();
    this.connection.onState((state) => {
      if (state !== 'closed') return;
      abort.abort();
      this.#close();
    });
    const credentials = { ...(token && { token }), ...(ticket && { ticket }) };
    const lead = () => {
      if (this.connection.state === 'closed') return Promise.resolve();
      this.#hub = new Hub(url, { ...options, ...credentials }, (message) => post.say(message));
      post.say({ kind: 'leader' });
      return new Promise<void>((resolve) => {
        this.#release = resolve;
      });
    };
    locks.request(`signalbox:${name}`, { signal: abort.signal as never }, lead).catch(() => {
      // Aborted, which is no failure; or refused, as where a page may keep nothing: then this tab is on its own.
      if (this.connection.state === 'closed') return;
      post.leaveOthers();
      void lead();
    });
  }

  #hear(message: Message): void {
    this.#socket?.hear(message);
    this.#hub?.hear(message);
  }

  #close(): void {
    // What is said last is still to be heard by the leader, and by this tab when that is itself.
    host.queueMicrotask(() => {
      this.#hub?.close();
      this.#hub = undefined;
      this.#post.close();
      this.#release();
    });
  }
}
