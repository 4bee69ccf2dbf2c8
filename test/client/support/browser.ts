import type { Connection } from '../../../client/src/index.ts';
import { connect, type TabsOptions } from '../../../client/src/tabs.ts';
import type {
  BroadcastChannelConstructor,
  Locks,
  WebSocketConstructor,
  WebSocketLike,
} from '../../../client/src/host.ts';
import { settled } from '../../support/heap-clock.ts';
import type { TestServer } from './server.ts';

interface Waiting {
  readonly page: Page;
  readonly run: () => Promise<void>;
  readonly done: () => void;
  readonly fail: (error: unknown) => void;
}

/** `held`: what happens to a page that does not run, and is to be done when it runs again. */
interface Page {
  isGone: boolean;
  held: (() => void)[] | undefined;
}

export interface OpenedTab {
  readonly connection: Connection;
  readonly crash: () => void;
  readonly freeze: () => void;
  readonly thaw: () => Promise<void>;
}

/** The tabs of one origin: a lock that one of them has, and channels that take a moment. */
export class Browser {
  readonly #server: TestServer;
  readonly #listeners = new Set<{ page: Page; name: string; hear: (data: unknown) => void }>();
  readonly #queue: Waiting[] = [];
  #holder: Waiting | undefined;
  /** When the last message of one page to another arrives: the next is not earlier. */
  readonly #last = new WeakMap<object, WeakMap<object, number>>();

  constructor(server: TestServer) {
    this.#server = server;
  }

  /**
   * Opens one. `crash` is a tab that is gone from one moment to the next: nothing more of it is heard. One that is frozen
   * has its lock, its socket and its timers, and does nothing until it is thawed.
   */
  open(options: TabsOptions = {}): OpenedTab {
    const page: Page = { isGone: false, held: undefined };
    const { WebSocket: Dialled, clock, ...common } = this.#server.options;
    const sockets = new Set<WebSocketLike>();
    // A function, since what is gone gets no socket at all: it must not knock at the server again and again.
    const WebSocket = function dial(url: string, protocols: string[]) {
      if (page.isGone) return { send() {}, close() {} };
      const socket = new Dialled(url, protocols);
      sockets.add(socket);
      const seen = {
        send: (text: string) => socket.send(text),
        close: (code?: number) => socket.close(code),
      };
      for (const name of ['onopen', 'onmessage', 'onclose'] as const)
        socket[name] = (event: unknown) => whenItRuns(page, () => (seen as Handlers)[name]?.(event));
      return seen;
    } as unknown as WebSocketConstructor;
    const connection = connect('ws://server/', {
      ...common,
      clock: {
        now: clock.now,
        clearTimeout: clock.clearTimeout,
        setTimeout: (run, delayMs) => clock.setTimeout(() => whenItRuns(page, run), delayMs),
      },
      WebSocket,
      locks: this.#locksOf(page),
      BroadcastChannel: this.#channelsOf(page),
      ...options,
    });
    const crash = () => {
      page.isGone = true;
      for (const socket of sockets) {
        Object.assign(socket, { onmessage: undefined, onclose: undefined, onopen: undefined });
        socket.close();
      }
      this.#release(page);
    };
    const freeze = () => {
      page.held ??= [];
    };
    const thaw = async () => {
      for (let run = page.held?.shift(); run !== undefined; run = page.held?.shift()) {
        run();
        await settled();
      }
      page.held = undefined;
    };
    return { connection, crash, freeze, thaw };
  }

  #locksOf(page: Page): Locks {
    return {
      request: (_, { signal, steal }, run) =>
        new Promise((resolve, reject) => {
          const aborted = signal as AbortSignal | undefined;
          const waiting: Waiting = { page, run, done: () => resolve(undefined), fail: reject };
          if (steal === true) {
            const robbed = this.#holder;
            this.#holder = undefined;
            this.#queue.unshift(waiting);
            this.#grant();
            const error = Object.assign(new Error('stolen'), { name: 'AbortError' });
            if (robbed !== undefined) whenItRuns(robbed.page, () => robbed.fail(error));
            return;
          }
          aborted?.addEventListener('abort', () => {
            const at = this.#queue.indexOf(waiting);
            if (at < 0) return;
            this.#queue.splice(at, 1);
            reject(aborted?.reason);
          });
          this.#queue.push(waiting);
          this.#grant();
        }),
    };
  }

  #grant(): void {
    if (this.#holder !== undefined) return;
    const next = this.#queue.shift();
    if (next === undefined) return;
    this.#holder = next;
    this.#server.clock.setTimeout(() => {
      if (next.page.isGone) return this.#release(next.page);
      whenItRuns(next.page, () => {
        // Stolen before it began.
        if (this.#holder !== next) return;
        void next.run().then(() => {
          next.done();
          if (this.#holder === next) this.#release(next.page);
        });
      });
    }, this.#server.random.below(20));
  }

  #release(page: Page): void {
    for (let at = this.#queue.length - 1; at >= 0; at--)
      if (this.#queue[at]?.page === page) this.#queue.splice(at, 1);
    if (this.#holder?.page !== page) return;
    this.#holder = undefined;
    this.#grant();
  }

  #channelsOf(page: Page): BroadcastChannelConstructor {
    const listeners = this.#listeners;
    const post = (from: object, name: string, data: unknown) => {
      if (page.isGone) return;
      for (const to of listeners)
        if (to !== from && to.name === name) this.#deliver(from, to, structuredClone(data));
    };
    return class {
      onmessage: unknown;
      readonly #entry: { page: Page; name: string; hear: (data: unknown) => void };
      constructor(name: string) {
        const hear = (data: unknown) => (this.onmessage as (event: unknown) => void)({ data });
        this.#entry = { page, name, hear };
        listeners.add(this.#entry);
      }
      postMessage(data: unknown): void {
        post(this.#entry, this.#entry.name, data);
      }
      close(): void {
        listeners.delete(this.#entry);
      }
    };
  }

  #deliver(from: object, to: { page: Page; hear: (data: unknown) => void }, data: unknown): void {
    const { clock, random } = this.#server;
    const last = this.#last.get(from) ?? new WeakMap<object, number>();
    this.#last.set(from, last);
    const atMs = Math.max(last.get(to) ?? 0, clock.now() + random.below(15));
    last.set(to, atMs);
    clock.setTimeout(() => {
      whenItRuns(to.page, () => {
        if (this.#listeners.has(to as never)) to.hear(data);
      });
    }, atMs - clock.now());
  }
}

type Handlers = Readonly<Record<string, ((event: unknown) => void) | undefined>>;

function whenItRuns(page: Page, run: () => void): void {
  if (page.isGone) return;
  if (page.held === undefined) run();
  else page.held.push(run);
}
