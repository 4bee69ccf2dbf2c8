import { Client } from '../client.ts';
import type { Connection } from '../connection.ts';
import {
  type BroadcastChannelConstructor,
  host,
  LONGEST_TIMER_MS,
  type Locks,
  systemClock,
  uniqueId,
} from '../host.ts';
import type { TabsOptions } from '../tabs.ts';
import { Hub } from './hub.ts';
import { Lead } from './lead.ts';
import { type Message, Post } from './post.ts';
import { TabSocket } from './tab-socket.ts';

/** Whoever leads answers at once. One that does not within this time, or twice as much, is a page that does not run. */
const LEADER_PATIENCE_MS = 5_000;

/** One tab: a connection of its own to whichever tab leads, and the lead when it is its turn. */
export class Tab {
  readonly connection: Connection;
  readonly #options: TabsOptions;
  readonly #post: Post;
  readonly #lead: Lead;
  #socket: TabSocket | undefined;
  #hub: Hub | undefined;
  #patience: unknown;

  constructor(
    url: string,
    { name = url, token, ticket, ...options }: TabsOptions,
    locks: Locks,
    BroadcastChannel: BroadcastChannelConstructor,
  ) {
    const lock = `signalbox:${name}`;
    const post = new Post(lock, BroadcastChannel, (message) => this.#hear(message));
    this.#options = options;
    this.#post = post;
    const take = (socket: TabSocket) => {
      this.#socket = socket;
      this.#wait();
    };
    const Socket = class extends TabSocket {
      constructor() {
        super(uniqueId(), (message) => post.say(message));
        take(this);
      }
    };
    // The leader keeps to what the server allows, and has the credentials.
    // Whoever leads next says so, and nobody else can be waited for.
    const unbounded = { framesPerSecond: 1e6, connectTimeoutMs: LONGEST_TIMER_MS };
    this.connection = new Client(url, { ...options, ...unbounded, WebSocket: Socket });
    this.connection.onState((state) => state === 'closed' && this.#close());
    const credentials = { ...(token && { token }), ...(ticket && { ticket }) };
    this.#lead = new Lead({
      name: lock,
      locks,
      begin: () => {
        const hub = new Hub(url, { ...options, ...credentials }, (message) => post.say(message));
        this.#hub = hub;
        post.say({ kind: 'leader' });
        return () => hub.close();
      },
      refused: () => post.leaveOthers(),
    });
  }

  #hear(message: Message): void {
    this.#socket?.hear(message);
    if (this.#lead.isHeld) this.#hub?.hear(message);
    if (message.kind === 'leader') this.#wait();
  }

  /** For the leader to answer this tab. */
  #wait(): void {
    const { clock = systemClock, random = Math.random } = this.#options;
    clock.clearTimeout(this.#patience);
    this.#patience = clock.setTimeout(
      () => {
        if (!this.#socket?.isOpen && !this.#lead.isHeld) this.#lead.steal();
      },
      LEADER_PATIENCE_MS * (1 + random()),
    );
  }

  #close(): void {
    this.#lead.giveUp();
    // What is said last is still to be heard by the leader, and by this tab when that is itself.
    host.queueMicrotask(() => {
      this.#lead.end();
      this.#post.close();
      (this.#options.clock ?? systemClock).clearTimeout(this.#patience);
    });
  }
}
