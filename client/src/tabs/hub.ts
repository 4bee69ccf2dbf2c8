import { Client, type ConnectOptions, type Taps } from '../connection.ts';
import { RECONNECTS } from '../codes.ts';
import { SignalboxError } from '../error.ts';
import type { Joined, WelcomeFrame } from '../frames.ts';
import { type Clock, systemClock, uniqueId } from '../host.ts';
import { compareIds, type Position } from '../position.ts';
import type { Channel, ChannelEvent, Gap, Snapshot } from '../subscription.ts';
import type { Message } from './post.ts';

/** One connection of a tab to this one. */
interface Session {
  readonly id: string;
  /** Its hello, as long as the server has not said welcome. */
  hello?: Hello;
  isWelcome: boolean;
  /** Pings without an answer: a tab that is gone does not say so. */
  pings: number;
  /** Ids of what it published and does not want to hear. */
  readonly muted: Set<string>;
}

interface Hello {
  readonly ref: number;
  readonly positions?: Readonly<Record<string, string>>;
  readonly epoch?: string;
}

interface Subscribe {
  readonly ref: number;
  readonly channel: string;
  readonly query?: unknown;
  readonly lastId?: string;
  readonly epoch?: string;
}

type TabFrame =
  | ({ readonly type: 'hello' } & Hello)
  | ({ readonly type: 'subscribe' } & Subscribe)
  | { readonly type: 'unsubscribe'; readonly ref: number; readonly channel: string }
  | { readonly type: 'ask' | 'tell'; readonly ref: number; readonly topic: string; readonly data?: unknown }
  | {
      readonly type: 'publish';
      readonly ref: number;
      readonly channel: string;
      readonly topic: string;
      readonly data: unknown;
      readonly key: string;
      readonly echo?: boolean;
    }
  | { readonly type: 'pong' };

/** A channel that tabs share. */
interface Shared {
  readonly channel: Channel;
  readonly query: string;
  /** Who hears it. */
  readonly members: Set<Session>;
  /** Who asked for it since it was joined last. */
  waiting: Asked[];
  /** Who is answered when it is joined. */
  joining: Asked[];
  /**
   * `joined`: what comes is for all members. `joining`: nothing comes. `afresh`: joined without a position, to get a
   * snapshot for those who want one. It is for them only, and all else has to wait: before it something is left out.
   */
  phase: 'joining' | 'afresh' | 'joined';
  /** Where all others are meanwhile. */
  others: Position;
  /** Who joined without a position, as long as nothing came: a snapshot still may. */
  readonly fresh: Set<Session>;
  /** Who was told of a gap that ends at `id`, as long as nothing came: a snapshot still may. */
  gap?: { readonly id: string; readonly told: ReadonlySet<Session> } | undefined;
  /** How often it was joined. */
  round: number;
}

/** How long others wait for somebody's snapshot: longer than the server waits for the application. */
const SNAPSHOT_MS = 3000;

type Asked = Subscribe & { readonly session: Session };

/**
 * The server's side of the tabs: one connection, whose channels are shared. Each tab drops what it has already, so a tab
 * that is behind is served by going back for all; nothing of an event is kept here.
 */
export class Hub implements Taps {
  readonly #server: Client;
  readonly #clock: Clock;
  readonly #id = uniqueId();
  #say: (message: Message) => void;
  readonly #sessions = new Map<string, Session>();
  readonly #shared = new Map<string, Shared>();
  #welcome: WelcomeFrame | undefined;
  /** The connection is dropped on purpose, to go back on a channel of the server's own. */
  #isGoingBack = false;
  /** What the server said when it ended the connection last. */
  #end = { code: 1006, reason: '' };

  constructor(url: string, options: ConnectOptions, say: (message: Message) => void) {
    this.#say = say;
    this.#clock = options.clock ?? systemClock;
    this.#server = new Client(url, options, this);
    for (const own of this.#own()) {
      own.on('*', (_, event) => this.#event(this.#welcomed(), event));
      own.on('gap', (gap) => this.#send(this.#welcomed(), gap));
    }
  }

  /** The tabs are to go on with the next leader, not to hear that this is the end. */
  close(): void {
    for (const { id } of this.#sessions.values()) this.#sayRestart(id);
    this.#say = () => {};
    this.#shared.clear();
    this.#server.close();
  }

  hear(message: Message): void {
    if (message.kind === 'open') this.#open(message.id);
    if (message.kind === 'left') this.#leave(this.#sessions.get(message.id));
    if (message.kind !== 'up' || message.hub !== this.#id) return;
    const session = this.#sessions.get(message.id);
    if (session !== undefined) this.#receive(session, JSON.parse(message.text) as TabFrame);
    // It was forgotten, because it did not run.
    else this.#sayRestart(message.id);
  }

  // ── What the server says

  welcomed(frame: WelcomeFrame): void {
    this.#welcome = frame;
    this.#isGoingBack = false;
    for (const session of this.#sessions.values()) this.#greet(session);
  }

  joined(channel: Channel, { id, epoch, recovered }: Joined): void {
    const shared = this.#shared.get(channel.channel);
    if (shared?.channel !== channel) return;
    const asked = shared.joining;
    shared.joining = [];
    if (shared.phase === 'joining') shared.phase = 'joined';
    for (const { session, ref, lastId } of asked) {
      shared.members.add(session);
      if (lastId === undefined) shared.fresh.add(session);
      const at = { channel: channel.channel, id: lastId ?? id, epoch, recovered };
      this.#send([session], { type: 'subscribed', ref, ...at });
    }
    this.#serve(shared);
    if (shared.fresh.size === 0) return;
    const round = ++shared.round;
    this.#clock.setTimeout(() => {
      if (shared.round !== round || !channel.isJoined) return;
      // Nor is one to be looked for once more.
      channel.reached(channel.position?.lastId ?? id);
      this.#goBack(shared);
    }, SNAPSHOT_MS);
  }

  pinged(id: string | undefined): void {
    // Somebody may still have to get what is before it.
    const isSettled = [...this.#shared.values()].every(({ phase }) => phase === 'joined');
    if (id !== undefined)
      for (const shared of this.#shared.values()) if (shared.channel.isJoined) this.#goBack(shared);
    for (const session of this.#welcomed()) {
      session.pings += 1;
      if (session.pings > 2) this.#leave(session);
    }
    this.#send(this.#welcomed(), { type: 'ping', ...(isSettled && { id }) });
  }

  told(frame: object): void {
    this.#send(this.#welcomed(), frame);
  }

  dropped(code: number, reason: string): void {
    this.#welcome = undefined;
    if (this.#isGoingBack) {
      // Once: the next one is that it could not be reached.
      this.#isGoingBack = false;
      return;
    }
    // They come back with their positions, and are kept waiting as long as the server is away.
    this.#end = { code, reason };
    const isFinal = RECONNECTS[code] === 'never';
    for (const { id } of this.#sessions.values())
      this.#say({ kind: 'end', id, code: isFinal ? code : 1012, reason });
    this.#sessions.clear();
    const shared = [...this.#shared.values()];
    this.#shared.clear();
    for (const { channel } of shared) channel.unsubscribe();
  }

  // ── What the tabs say

  #open(id: string): void {
    if (this.#server.state === 'closed') {
      this.#say({ kind: 'end', id, ...this.#end });
      return;
    }
    if (!this.#sessions.has(id)) this.#sessions.set(id, { id, isWelcome: false, pings: 0, muted: new Set() });
    this.#say({ kind: 'opened', id, hub: this.#id });
  }

  #leave(session: Session | undefined): void {
    if (session === undefined) return;
    this.#sessions.delete(session.id);
    for (const shared of this.#shared.values()) this.#remove(shared, session);
  }

  #receive(session: Session, frame: TabFrame): void {
    switch (frame.type) {
      case 'hello':
        session.hello = frame;
        if (this.#welcome === undefined) this.#expect(frame);
        else this.#greet(session);
        return;
      case 'subscribe':
        this.#subscribe({ ...frame, session });
        return;
      case 'unsubscribe': {
        const { ref, channel } = frame;
        const shared = this.#shared.get(channel);
        if (shared !== undefined) this.#remove(shared, session);
        this.#send([session], { type: 'unsubscribed', ref, channel });
        return;
      }
      case 'ask':
        this.#answer(
          session,
          frame.ref,
          this.#server.ask(frame.topic, frame.data, { timeoutMs: 0 }),
          (data) => ({
            type: 'answer',
            data,
          }),
        );
        return;
      case 'tell':
        this.#answer(session, frame.ref, this.#server.tell(frame.topic, frame.data), () => ({
          type: 'told',
        }));
        return;
      case 'publish': {
        const { channel, topic, data, key, echo } = frame;
        // The other tabs want it all the same.
        this.#answer(session, frame.ref, this.#server.publish(channel, topic, data, { key }), (id) => {
          if (echo === false) session.muted.add(id);
          return { type: 'published', id };
        });
        return;
      }
      case 'pong':
        session.pings = 0;
    }
  }

  #answer<T>(session: Session, ref: number, asked: Promise<T>, frame: (answer: T) => object): void {
    asked.then(
      (answer) => this.#send([session], { ...frame(answer), ref }),
      (error: unknown) => this.#refuse(session, ref, error),
    );
  }

  // ── The channels of the user and the session

  #own(): Channel[] {
    return [this.#server.user, this.#server.session];
  }

  /** Before the first welcome: the server shall begin where the tab that is furthest behind is. */
  #expect({ positions = {}, epoch }: Hello): void {
    for (const [name, lastId] of Object.entries(positions)) {
      const own = name.startsWith('user:') ? this.#server.user : this.#server.session;
      const known = own.channel === name ? own.position : undefined;
      own.channel = name;
      if (known === undefined || (known.epoch === epoch && compareIds(lastId, known.lastId) < 0))
        own.again(lastId, epoch);
    }
  }

  #greet(session: Session): void {
    const { hello } = session;
    if (hello === undefined || this.#welcome === undefined) return;
    const { positions = {}, ref } = hello;
    const joined = this.#own().filter(({ isJoined }) => isJoined);
    const late = joined.find(({ channel, position }) => {
      const lastId = positions[channel];
      return (
        lastId !== undefined &&
        hello.epoch === position?.epoch &&
        compareIds(lastId, position?.lastId ?? lastId) < 0
      );
    });
    if (late !== undefined) {
      // Snapshots that are on their way would be lost: it waits for them.
      if ([...this.#shared.values()].some(({ fresh }) => fresh.size > 0)) return;
      this.#isGoingBack = true;
      this.#server.again(late, positions[late.channel]);
      return;
    }
    delete session.hello;
    session.isWelcome = true;
    const lost: object[] = [];
    const subscriptions = joined.map(({ channel, position }) => {
      const { lastId: id = '0-0', epoch = '' } = position ?? {};
      const after = positions[channel];
      const isOfNow = after === undefined || hello.epoch === epoch;
      if (!isOfNow) lost.push({ type: 'gap', channel, after, id, epoch, reason: 'epoch' });
      return { channel, id: after ?? id, epoch, recovered: isOfNow };
    });
    this.#send([session], { ...this.#welcome, expiresAt: undefined, ref, subscriptions });
    for (const gap of lost) this.#send([session], gap);
  }

  #welcomed(): Session[] {
    return [...this.#sessions.values()].filter(({ isWelcome }) => isWelcome);
  }

  // ── The channels that tabs ask for

  #subscribe(asked: Asked): void {
    const { channel, ref, session } = asked;
    const query = JSON.stringify(asked.query) ?? '';
    const shared = this.#shared.get(channel);
    if (shared === undefined) {
      this.#share(asked, query);
    } else if (shared.query !== query || shared.members.has(session)) {
      const words = 'another tab has subscribed it with another query';
      this.#refuse(session, ref, new SignalboxError('already_subscribed', words));
    } else {
      shared.waiting.push(asked);
      this.#serve(shared);
    }
  }

  #share(asked: Asked, query: string): void {
    const { channel: name, lastId, epoch } = asked;
    const at = { ...(lastId !== undefined && { lastId }), ...(epoch !== undefined && { epoch }) };
    const channel = this.#server.subscribe(name, { query: asked.query, ...at }) as Channel;
    const shared: Shared = {
      channel,
      query,
      members: new Set(),
      fresh: new Set(),
      waiting: [],
      joining: [asked],
      phase: 'joining',
      others: { lastId: '', epoch: '' },
      round: 0,
    };
    this.#shared.set(name, shared);
    channel.on('*', (_, event) => {
      if (shared.phase === 'joined') {
        shared.gap = undefined;
        this.#event(shared.members, event);
      }
      this.#goBack(shared);
    });
    channel.on('gap', (gap: Gap) => {
      if (shared.phase === 'joined') {
        shared.gap = { id: gap.id, told: new Set(shared.members) };
        this.#send(shared.members, gap);
      }
      this.#goBack(shared);
    });
    channel.on('snapshot', (snapshot: Snapshot) => {
      const isAfresh = shared.phase === 'afresh';
      this.#send(isAfresh ? this.#wanting(shared, snapshot) : shared.members, snapshot);
      shared.gap = undefined;
      // One that was kept is older than where the others are: what follows it is for all, and leaves nothing out.
      const { others } = shared;
      const isOlder = channel.position?.epoch === others.epoch && compareIds(snapshot.id, others.lastId) <= 0;
      if (isAfresh && isOlder) shared.phase = 'joined';
      this.#goBack(shared);
    });
    channel.onState((state) => {
      if (state !== 'closed' || this.#shared.get(name) !== shared) return;
      this.#shared.delete(name);
      const error = channel.error ?? new SignalboxError('closed', `${name} is closed`);
      for (const { session: waiting, ref } of [...shared.joining, ...shared.waiting])
        this.#refuse(waiting, ref, error);
      this.#send(shared.members, { type: 'unsubscribed', channel: name });
    });
  }

  /** Who has nothing yet; and who waits for what comes after a gap, which may be this now that it was joined afresh. */
  #wanting({ fresh, gap, members }: Shared, { id }: Snapshot): Set<Session> {
    if (gap === undefined || compareIds(id, gap.id) < 0) return fresh;
    return new Set([...fresh, ...[...gap.told].filter((session) => members.has(session))]);
  }

  /** Those who wait: from where they are, all at once; then those who want a snapshot. */
  #serve(shared: Shared): void {
    const { channel, phase } = shared;
    const { position } = channel;
    if (phase !== 'joined' || position === undefined) return;
    const isOfNow = ({ lastId, epoch = position.epoch }: Asked) =>
      lastId === undefined || epoch === position.epoch;
    for (const asked of shared.waiting) if (!isOfNow(asked)) this.#bringOver(shared, asked);
    const waiting = shared.waiting.filter(isOfNow);
    shared.waiting = [];
    if (waiting.length === 0) return;
    const resumed = waiting.filter(({ lastId }) => lastId !== undefined);
    if (resumed.length === 0) {
      shared.joining = waiting;
      shared.phase = 'afresh';
      shared.others = position;
      this.#server.again(channel);
      return;
    }
    shared.waiting = waiting.filter(({ lastId }) => lastId === undefined);
    shared.joining = resumed;
    const earliest = resumed.reduce(
      (least, { lastId = least }) => (compareIds(lastId, least) < 0 ? lastId : least),
      position.lastId,
    );
    if (compareIds(earliest, position.lastId) < 0) {
      if (shared.fresh.size > 0) {
        // Their snapshot is on its way, and would be lost.
        shared.waiting = waiting;
        shared.joining = [];
        return;
      }
      shared.phase = 'joining';
      this.#server.again(channel, earliest);
    } else
      this.joined(channel, {
        channel: channel.channel,
        id: earliest,
        epoch: position.epoch,
        recovered: true,
      });
  }

  /** Its position is of another epoch: what was after it is lost. */
  #bringOver({ channel, members }: Shared, { session, ref, lastId: after = '' }: Asked): void {
    const { lastId: id = '', epoch = '' } = channel.position ?? {};
    members.add(session);
    const joined = { channel: channel.channel, id: after, epoch, recovered: false };
    this.#send([session], { type: 'subscribed', ref, ...joined });
    this.#send([session], { type: 'gap', channel: channel.channel, after, id, epoch, reason: 'epoch' });
  }

  /** Whether there is a snapshot is known now: to where all others are. */
  #goBack(shared: Shared): void {
    if (shared.fresh.size > 0) {
      shared.fresh.clear();
      for (const session of this.#sessions.values()) this.#greet(session);
    }
    if (shared.phase === 'afresh') {
      shared.phase = 'joining';
      // Of another epoch by now, perhaps: then the server tells what they lost.
      const { lastId, epoch } = shared.others;
      this.#server.again(shared.channel, lastId, epoch);
    } else this.#serve(shared);
  }

  #remove(shared: Shared, session: Session): void {
    const isOther = (asked: Asked) => asked.session !== session;
    shared.members.delete(session);
    shared.fresh.delete(session);
    shared.waiting = shared.waiting.filter(isOther);
    shared.joining = shared.joining.filter(isOther);
    if (shared.members.size + shared.waiting.length + shared.joining.length > 0) return;
    this.#shared.delete(shared.channel.channel);
    shared.channel.unsubscribe();
  }

  // ── Saying

  #sayRestart(id: string): void {
    this.#say({ kind: 'end', id, code: 1012, reason: 'restart' });
  }

  #event(sessions: Iterable<Session>, event: ChannelEvent): void {
    this.#send(
      Array.from(sessions).filter(({ muted }) => !muted.delete(event.id)),
      event,
    );
  }

  #send(sessions: Iterable<Session>, frame: object): void {
    const ids = Array.from(sessions, ({ id }) => id);
    if (ids.length > 0) this.#say({ kind: 'down', ids, text: JSON.stringify(frame) });
  }

  #refuse(session: Session, ref: number, error: unknown): void {
    const { code, message, retryAfter } =
      error instanceof SignalboxError ? error : new SignalboxError('internal', String(error));
    this.#send([session], { type: 'error', ref, code, message, retryAfter });
  }
}
