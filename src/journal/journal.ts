import { FeedJournal } from './feed-journal.ts';
import {
  SocketJournal,
  type SocketJournalDeps,
  type SocketJournalOptions,
  type SocketLine,
  type Watcher,
} from './socket-journal.ts';

export interface JournalDeps {
  readonly now: () => number;
  /** What this process is called among the others; asked when a line is told. */
  readonly instance: () => string;
  /** How long a socket is known after it has gone, and of how many. */
  readonly keepMs: number;
  readonly maxSockets: number;
}

/**
 * What this process did, kept in memory within bounds: of each socket its spans, and of each feed a line for each
 * batch. What became of an event at a socket is derived from the two.
 */
export class Journal {
  readonly #deps: JournalDeps;
  readonly #shared: SocketJournalDeps;
  readonly #open = new Map<string, SocketJournal>();
  /** In the order in which they went. */
  readonly #closed = new Map<string, SocketJournal>();
  readonly #feeds = new Map<string, FeedJournal>();
  readonly #watchers = new Set<Watcher>();

  constructor(deps: JournalDeps) {
    this.#deps = deps;
    this.#shared = {
      now: deps.now,
      onLine: (socket, line) => this.#tell(socket, line),
      onChannels: (socket) => this.#match(socket),
    };
  }

  /** The journal of a feed: `superset`, `native`, `pubsub-1`, … */
  feed(name: string): FeedJournal {
    const known = this.#feeds.get(name);
    if (known !== undefined) return known;
    const feed = new FeedJournal(name, this.#deps.now);
    this.#feeds.set(name, feed);
    return feed;
  }

  feeds(): Iterable<FeedJournal> {
    return this.#feeds.values();
  }

  open(opened: SocketJournalOptions): SocketJournal {
    const socket = new SocketJournal(this.#shared, opened);
    this.#open.set(socket.id, socket);
    this.#match(socket);
    if (socket.isWatched) this.#tell(socket, { kind: 'opened' });
    return socket;
  }

  /** It has gone; `unflushedEvents` of those written to its transport never left. */
  close(socket: SocketJournal, reason: string, unflushedEvents: number): void {
    if (!this.#open.delete(socket.id)) return;
    socket.close(reason, unflushedEvents);
    this.#closed.set(socket.id, socket);
    this.#forget();
  }

  /** An open socket, or one that has not been gone for long. */
  socket(id: string): SocketJournal | undefined {
    this.#forget();
    return this.#open.get(id) ?? this.#closed.get(id);
  }

  socketsOf(user: string): SocketJournal[] {
    return [...this.sockets()].filter(({ peer }) => peer.user === user);
  }

  openSockets(): Iterable<SocketJournal> {
    return this.#open.values();
  }

  /** Those that have gone, in the order in which they did. */
  closedSockets(): Iterable<SocketJournal> {
    this.#forget();
    return this.#closed.values();
  }

  /** All of them, those that have gone first. */
  *sockets(): Iterable<SocketJournal> {
    yield* this.closedSockets();
    yield* this.openSockets();
  }

  /**
   * Tells of all that sockets that match do from now on, event by event, until what it gives is called. A socket is
   * asked for again whenever its channels change. `onLine` must not throw.
   */
  watch(matches: Watcher['matches'], onLine: Watcher['onLine']): () => void {
    const watcher = { matches, onLine };
    this.#watchers.add(watcher);
    this.#matchAll();
    return () => {
      if (this.#watchers.delete(watcher)) this.#matchAll();
    };
  }

  #matchAll(): void {
    for (const socket of this.#open.values()) this.#match(socket);
  }

  #match(socket: SocketJournal): void {
    if (this.#watchers.size === 0 && !socket.isWatched) return;
    socket.watchers = [...this.#watchers].filter(({ matches }) => matches(socket));
  }

  #tell(socket: SocketJournal, line: SocketLine): void {
    const { id, peer } = socket;
    const whole = {
      atMs: this.#deps.now(),
      instance: this.#deps.instance(),
      socket: id,
      ...(peer.user !== undefined && { user: peer.user }),
      ...line,
    };
    for (const { onLine } of socket.watchers) onLine(whole);
  }

  #forget(): void {
    const oldestMs = this.#deps.now() - this.#deps.keepMs;
    for (const [id, { closed }] of this.#closed) {
      const isKept = closed !== undefined && closed.atMs > oldestMs;
      if (isKept && this.#closed.size <= this.#deps.maxSockets) return;
      this.#closed.delete(id);
    }
  }
}
