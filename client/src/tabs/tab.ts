import { Client } from '../client.ts';
import type { Connection } from '../connection.ts';
import {
  type BroadcastChannelConstructor,
  host,
  LONGEST_TIMER_MS,
  type LockOptions,
  type Locks,
  systemClock,
  uniqueId,
} from '../host.ts';
import type { TabsOptions } from '../tabs.ts';
import { Hub } from './hub.ts';
import { Post } from './post.ts';
import { TabSocket } from './tab-socket.ts';

/** Whoever leads answers at once. One that does not within this time, or twice as much, is a page that does not run. */
const LEADER_PATIENCE_MS = 5_000;

/** One tab: a connection of its own to whichever tab leads, and the lead when it is its turn. */
export class Tab {
  readonly connection: Connection;
  readonly #post: Post;
  #socket: TabSocket | undefined;
  #hub: Hub | undefined;
  #release = () => {};

  constructor(
    url: string,
    { name = url, token, ticket, ...given }: TabsOptions,
    locks: Locks,
    BroadcastChannel: BroadcastChannelConstructor,
  ) {
    const { clock = systemClock, random = Math.random } = given;
    const lock = `signalbox:${name}`;
    const post = new Post(lock, BroadcastChannel, (message) => {
      this.#socket?.hear(message);
      this.#hub?.hear(message);
      if (message.kind === 'leader') wait();
    });
    let patience: unknown;
    const wait = () => {
      clock.clearTimeout(patience);
      patience = clock.setTimeout(
        () => {
          const isWaiting = !this.#socket?.isOpen && this.#hub === undefined;
          if (isWaiting && this.connection.state !== 'closed') lead({ steal: true });
        },
        LEADER_PATIENCE_MS * (1 + random()),
      );
    };
    this.#post = post;
    const take = (socket: TabSocket) => {
      this.#socket = socket;
      wait();
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
    this.connection = new Client(url, { ...given, ...unbounded, WebSocket: Socket });
    const abort = new host.AbortController();
    this.connection.onState((state) => {
      if (state !== 'closed') return;
      clock.clearTimeout(patience);
      abort.abort();
      this.#close();
    });
    const credentials = { ...(token && { token }), ...(ticket && { ticket }) };
    const lead = (options: LockOptions, again?: () => void) => {
      let hub: Hub | undefined;
      const serve = () => {
        if (this.connection.state === 'closed') return Promise.resolve();
        this.#hub?.close();
        hub = new Hub(url, { ...given, ...credentials }, (message) => post.say(message));
        this.#hub = hub;
        post.say({ kind: 'leader' });
        return new Promise<void>((resolve) => {
          this.#release = resolve;
        });
      };
      locks.request(lock, options, serve).catch((error: unknown) => {
        // Aborted, which is no failure.
        if (this.connection.state === 'closed') return;
        if ((error as Error).name === 'AbortError') {
          // Another tab has taken the lead, because this one did not run.
          hub?.close();
          if (this.#hub === hub) this.#hub = undefined;
          again?.();
        } else {
          // Refused, as where a page may keep nothing: then this tab is on its own.
          post.leaveOthers();
          void serve();
        }
      });
    };
    const queue = (): void => lead({ signal: abort.signal as never }, queue);
    queue();
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
