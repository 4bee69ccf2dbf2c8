import { Client, type Taps } from '../client.ts';
import type { ConnectOptions } from '../connection.ts';
import { RECONNECTS } from '../codes.ts';
import { SignalboxError } from '../error.ts';
import type { Joined, WelcomeFrame } from '../frames.ts';
import { systemClock, uniqueId } from '../host.ts';
import { compareIds } from '../position.ts';
import type { Channel, ChannelEvent } from '../subscription.ts';
import type { Message } from './post.ts';
import { Session } from './session.ts';
import { type Asked, SharedChannel, type Sharing } from './shared-channel.ts';
import type { Hello, TabFrame } from './tab-frame.ts';

/**
 * The server's side of the tabs: one connection, whose channels are shared. Each tab drops what it has already, so a tab
 * that is behind is served by going back for all; nothing of an event is kept here.
 */
export class Hub implements Taps {
  readonly #server: Client;
  readonly #sharing: Sharing;
  readonly #id = uniqueId();
  readonly #say: (message: Message) => void;
  readonly #sessions = new Map<string, Session>();
  readonly #shared = new Map<string, SharedChannel>();
  #welcome: WelcomeFrame | undefined;
  /** The connection is dropped on purpose, to go back on a channel of the server's own. */
  #isGoingBack = false;
  /** What the server said when it ended the connection last. */
  #end = { code: 1006, reason: '' };

  constructor(url: string, options: ConnectOptions, say: (message: Message) => void) {
    this.#say = say;
    this.#server = new Client(url, options, this);
    this.#sharing = {
      clock: options.clock ?? systemClock,
      again: (channel, lastId, epoch) => this.#server.again(channel, lastId, epoch),
      event: (sessions, event) => this.#event(sessions, event),
      send: (sessions, frame) => this.#send(sessions, frame),
      refuse: (session, ref, error) => this.#refuse(session, ref, error),
      settled: () => this.#greetAll(),
      ended: (shared) => this.#ended(shared),
    };
    for (const own of this.#own()) {
      own.on('*', (_, event) => this.#event(this.#welcomed(), event));
      own.on('gap', (gap) => this.#send(this.#welcomed(), gap));
    }
  }

  /** The tabs are to go on with the next leader, not to hear that this is the end. */
  close(): void {
    for (const { id } of this.#sessions.values()) this.#sayRestart(id);
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
    this.#greetAll();
  }

  joined(channel: Channel, joined: Joined): void {
    const shared = this.#shared.get(channel.channel);
    if (shared?.channel === channel) shared.joined(joined);
  }

  pinged(id: string | undefined): void {
    const all = [...this.#shared.values()];
    // Somebody may still have to get what is before it.
    const isSettled = all.every((shared) => shared.isSettled);
    if (id !== undefined) for (const shared of all) shared.reached();
    for (const session of this.#welcomed()) if (!session.ping()) this.#leave(session);
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
    if (!this.#sessions.has(id)) this.#sessions.set(id, new Session(id));
    this.#say({ kind: 'opened', id, hub: this.#id });
  }

  #leave(session: Session | undefined): void {
    if (session === undefined) return;
    this.#sessions.delete(session.id);
    for (const shared of this.#shared.values()) this.#remove(session, shared);
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
        this.#remove(session, this.#shared.get(channel));
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
          const shared = this.#shared.get(channel);
          if (echo === false && shared?.has(session)) session.mute(id, shared.channel.position);
          return { type: 'published', id };
        });
        return;
      }
      case 'pong':
        session.pong();
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

  #greetAll(): void {
    for (const session of this.#sessions.values()) this.#greet(session);
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
      if ([...this.#shared.values()].some(({ isFresh }) => isFresh)) return;
      this.#isGoingBack = true;
      this.#server.again(late, positions[late.channel]);
      return;
    }
    session.hello = undefined;
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
    } else if (shared.query !== query || shared.has(session)) {
      const words = 'another tab has subscribed it with another query';
      this.#refuse(session, ref, new SignalboxError('already_subscribed', words));
    } else shared.ask(asked);
  }

  #share(asked: Asked, query: string): void {
    const { channel: name, lastId, epoch } = asked;
    const at = { ...(lastId !== undefined && { lastId }), ...(epoch !== undefined && { epoch }) };
    const channel = this.#server.subscribe(name, { query: asked.query, ...at }) as Channel;
    this.#shared.set(name, new SharedChannel(channel, query, asked, this.#sharing));
  }

  #remove(session: Session, shared: SharedChannel | undefined): void {
    if (shared === undefined || shared.remove(session)) return;
    this.#shared.delete(shared.channel.channel);
    shared.channel.unsubscribe();
  }

  #ended(shared: SharedChannel): void {
    const { channel } = shared.channel;
    if (this.#shared.get(channel) !== shared) return;
    this.#shared.delete(channel);
    shared.end();
  }

  // ── Saying

  #sayRestart(id: string): void {
    this.#say({ kind: 'end', id, code: 1012, reason: 'restart' });
  }

  #event(sessions: Iterable<Session>, event: ChannelEvent): void {
    this.#send(
      Array.from(sessions).filter((session) => session.wants(event.id)),
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
