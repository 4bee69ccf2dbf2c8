import { bytesOf } from './bytes.ts';
import { type ErrorCode, RECONNECTS, RETRIES } from './codes.ts';
import {
  CONNECT_TIMEOUT_MS,
  type Connection,
  type ConnectOptions,
  type PublishOptions,
  type SubscribeOptions,
} from './connection.ts';
import { protocolsOf } from './credentials.ts';
import { type ClientErrorCode, SignalboxError } from './error.ts';
import type { ErrorFrame, Joined, ServerFrame, WelcomeFrame } from './frames.ts';
import {
  type Clock,
  host,
  systemClock,
  uniqueId,
  type WebSocketConstructor,
  type WebSocketLike,
} from './host.ts';
import { Listeners, type Stop, Watched } from './listeners.ts';
import { Outbox, type RequestOptions } from './outbox.ts';
import { Pace } from './pace.ts';
import { Channel, type State, type Subscription } from './subscription.ts';
import { Timers } from './timers.ts';

type TimerName = 'reconnect' | 'silence' | 'flush' | 'refresh' | `left ${string}`;

/** A connection that held this long was a good one: the next pause is a short one again. */
const GOOD_AFTER_MS = 10_000;

/** What whoever shares a connection among others must hear of it. */
export interface Taps {
  welcomed(frame: WelcomeFrame): void;
  joined(channel: Channel, joined: Joined): void;
  pinged(id: string | undefined): void;
  told(frame: ServerFrame): void;
  dropped(code: number, reason: string): void;
}

export function connect(url: string, options: ConnectOptions = {}): Connection {
  return new Client(url, options);
}

export class Client implements Connection {
  readonly user: Channel;
  readonly session: Channel;
  error: SignalboxError | undefined;
  readonly #url: string;
  readonly #options: ConnectOptions;
  readonly #WebSocket: WebSocketConstructor;
  readonly #taps: Taps | undefined;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #pace: Pace;
  readonly #outbox: Outbox;
  readonly #state = new Watched<State>('connecting');
  readonly #listeners = new Listeners<unknown[]>();
  readonly #channels = new Map<string, Channel>();
  /** Channels that are asked for, and the names of those that are left, without an answer; by ref. */
  readonly #asked = new Map<number, Channel | string>();
  /** Channels that were left, of which the server would not hear yet. */
  readonly #unleft = new Set<string>();
  /** What is to be sent before any request: channels to be subscribed, and frames. */
  #lane: (Channel | string)[] = [];
  #socket: WebSocketLike | undefined;
  /** Each attempt to connect is another one; what comes of an earlier one is dropped. */
  #attempt = 0;
  #welcomedAtMs: number | undefined;
  #heardAtMs = 0;
  #pingInterval = 0;
  #failures = 0;
  #retryAfter = 0;
  #reconnectAfter: number | undefined;
  #lastEpoch: string | undefined;
  #ref = 0;
  /** Of the last `refresh`. */
  #refreshRef: number | undefined;
  /** Those of channels are until they are asked for again. */
  readonly #timers: Timers<TimerName | Channel>;

  constructor(url: string, options: ConnectOptions, taps?: Taps) {
    this.#taps = taps;
    const WebSocket = options.WebSocket ?? host.WebSocket;
    if (WebSocket === undefined) throw new TypeError('there is no global WebSocket: give one in the options');
    this.#url = url;
    this.#options = options;
    this.#WebSocket = WebSocket;
    this.#clock = options.clock ?? systemClock;
    this.#timers = new Timers(this.#clock);
    this.#random = options.random ?? Math.random;
    this.#pace = new Pace(options.framesPerSecond ?? 40);
    this.#outbox = new Outbox({
      clock: this.#clock,
      maxQueued: options.maxQueued ?? 1000,
      maxAsksInFlight: options.maxAsksInFlight ?? 16,
      publishRetryMs: options.publishRetryMs ?? 100_000,
      onQueued: () => this.#flush(),
    });
    this.user = this.#newChannel('user:');
    this.session = this.#newChannel('session:');
    this.#open();
  }

  get state(): State {
    return this.#state.getSnapshot();
  }

  readonly onState = (run: (state: State) => void): Stop => this.#state.onChange(run);

  on(topic: string, handler: (value: never) => void): Stop {
    return this.#listeners.on(topic, handler as (value: unknown) => void);
  }

  subscribe(channel: string, options: SubscribeOptions = {}): Subscription {
    if (this.state === 'closed') throw closedError();
    if (this.#channels.has(channel))
      throw new SignalboxError('already_subscribed', `${channel} is subscribed: share its subscription`);
    const joining = this.#newChannel(channel, options);
    this.#channels.set(channel, joining);
    if (this.#welcomedAtMs !== undefined) {
      this.#lane.push(joining);
      this.#flush();
    }
    return joining;
  }

  async ask<T>(topic: string, data?: unknown, options?: RequestOptions): Promise<T> {
    const answer = await this.#request('ask', { topic, data }, { timeoutMs: 10_000, ...options });
    return answer as T;
  }

  tell(topic: string, data?: unknown, options?: RequestOptions): Promise<void> {
    const told = this.#request('tell', { topic, data }, options) as Promise<void>;
    // Who does not wait for it does not want to hear of it.
    told.catch(() => {});
    return told;
  }

  async publish(
    channel: string,
    topic: string,
    data: unknown,
    { key = uniqueId(), echo, ...options }: PublishOptions = {},
  ): Promise<string> {
    const id = await this.#request('publish', { channel, topic, data: data ?? null, key, echo }, options);
    return id as string;
  }

  close(): void {
    this.#end();
  }

  /** Subscribes a channel once more: from an earlier position, or without one for a snapshot. */
  again(channel: Channel, lastId?: string, epoch?: string): void {
    channel.again(lastId, epoch);
    if (this.#welcomedAtMs === undefined) return;
    if (this.#channels.get(channel.channel) === channel) {
      // What it was asked for before has another answer, which is none of it any more.
      this.#timers.stop(channel);
      for (const [ref, asked] of this.#asked) if (asked === channel) this.#asked.delete(ref);
      if (this.#lane.includes(channel)) return;
      this.#unsubscribe(channel.channel);
      this.#lane.push(channel);
      this.#flush();
    } else {
      // Its own channels are subscribed by the server, from what hello says.
      this.#reconnectAfter = 0;
      this.#drop(1006);
    }
  }

  // ── Coming and going

  #open(): void {
    this.#attempt += 1;
    const attempt = this.#attempt;
    const isCurrent = () => attempt === this.#attempt;
    const protocols = protocolsOf(this.#url, this.#options);
    if (protocols === undefined) this.#dial(['signalbox.v1'], isCurrent);
    this.#silence(this.#options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS);
    protocols
      ?.then((offered) => isCurrent() && this.#dial(offered, isCurrent))
      .catch((error: unknown) => {
        this.#listeners.emit('error', isCurrent, error);
        if (isCurrent()) this.#drop(1006);
      });
  }

  #dial(protocols: string[], isCurrent: () => boolean): void {
    const socket = new this.#WebSocket(this.#url, protocols);
    this.#socket = socket;
    socket.onopen = () => isCurrent() && this.#hello();
    socket.onmessage = ({ data }: { data: unknown }) => isCurrent() && this.#receive(String(data));
    socket.onclose = ({ code, reason }: { code: number; reason?: string }) =>
      isCurrent() && this.#drop(code, reason);
    // A close follows. `ws` throws where nobody listens.
    socket.onerror = () => {};
  }

  #hello(): void {
    this.#heardAtMs = this.#clock.now();
    const own = [this.user, this.session].flatMap((each) => {
      // Not its position: it may want to join afresh.
      const { lastId, epoch = '' } = each.wanted();
      return lastId === undefined ? [] : [{ channel: each.channel, lastId, epoch }];
    });
    const positions = Object.fromEntries(own.map(({ channel, lastId }) => [channel, lastId]));
    // There is one epoch for all positions: where they differ, the older one, which the server answers with a gap.
    const epoch = own.find((position) => position.epoch !== this.#lastEpoch)?.epoch ?? own[0]?.epoch;
    this.#send(own.length > 0 ? { type: 'hello', ref: 0, positions, epoch } : { type: 'hello', ref: 0 });
  }

  #welcome(frame: WelcomeFrame): void {
    const { pingInterval, expiresAt, subscriptions } = frame;
    const nowMs = this.#clock.now();
    this.#welcomedAtMs = nowMs;
    this.#pingInterval = pingInterval;
    this.#retryAfter = 0;
    if (pingInterval > 0) this.#silence(pingInterval * 1.5);
    else this.#timers.stop('silence');
    this.#expect(expiresAt);
    this.#pace.restart(nowMs);
    this.#lane = [...this.#channels.values()];
    this.#outbox.expire();
    for (const [own, kind] of [
      [this.user, 'user:'],
      [this.session, 'session:'],
    ] as const) {
      const joined = subscriptions.find(({ channel }) => channel.startsWith(kind));
      // Another user's position is none of this one's.
      if (own.channel !== joined?.channel) own.forget(joined?.channel ?? kind);
      if (joined !== undefined) this.#join(own, joined);
    }
    this.#taps?.welcomed(frame);
    this.#settle();
    this.#flush();
  }

  #join(channel: Channel, joined: Joined): void {
    this.#lastEpoch = joined.epoch;
    channel.joined(joined, this.#pingInterval === 0);
  }

  /** The connection is gone, or is to go: whoever closed it, nothing more of it is heard. */
  #drop(code: number, reason = ''): void {
    const reconnect = RECONNECTS[code] ?? 'backoff';
    const welcomedAtMs = this.#welcomedAtMs;
    this.#hangUp();
    this.#taps?.dropped(code, reason);
    const { token, ticket } = this.#options;
    if (reconnect === 'never' || (reconnect === 'token' && token === undefined && ticket === undefined)) {
      const why = Object.hasOwn(RETRIES, reason) ? (reason as ErrorCode) : 'closed';
      this.#end(new SignalboxError(why, `the server ended the connection: ${code} ${reason}`.trim()));
      return;
    }
    const isGood = welcomedAtMs !== undefined && this.#clock.now() - welcomedAtMs >= GOOD_AFTER_MS;
    if (isGood) this.#failures = 0;
    const delayMs = this.#reconnectAfter ?? this.#pauseMs(this.#failures) + this.#retryAfter;
    this.#failures += 1;
    this.#reconnectAfter = undefined;
    this.#outbox.lost();
    for (const channel of this.#all()) channel.lost();
    // A handler of these may close it.
    if (welcomedAtMs !== undefined && this.state !== 'closed') this.#state.set('stale');
    if (this.state !== 'closed') this.#timers.start('reconnect', delayMs, () => this.#open());
  }

  #hangUp(code?: number): void {
    const socket = this.#socket;
    this.#attempt += 1;
    this.#socket = undefined;
    this.#welcomedAtMs = undefined;
    this.#lane = [];
    this.#asked.clear();
    this.#unleft.clear();
    this.#timers.stopAll();
    socket?.close(code);
  }

  #end(error?: SignalboxError): void {
    if (this.state === 'closed') return;
    this.error = error;
    // First of all, so that nothing is called after it.
    this.#state.set('closed');
    this.#hangUp(1000);
    this.#outbox.end(error ?? closedError());
    for (const channel of this.#all()) channel.end(error);
    this.#channels.clear();
  }

  // ── Hearing

  #receive(text: string): void {
    this.#heardAtMs = this.#clock.now();
    let frame: ServerFrame;
    try {
      frame = JSON.parse(text) as ServerFrame;
    } catch {
      // What it was cannot be known, so it cannot be left out: it is sent again after a reconnect.
      this.#drop(1006);
      return;
    }
    switch (frame.type) {
      case 'event':
        return this.#channel(frame.channel)?.event(frame);
      case 'snapshot':
        return this.#channel(frame.channel)?.snapshot(frame);
      case 'gap':
        if (frame.epoch !== undefined) this.#lastEpoch = frame.epoch;
        return this.#channel(frame.channel)?.gap(frame);
      case 'welcome':
        return this.#welcome(frame);
      case 'ping':
        return this.#ping(frame.id);
      case 'subscribed':
        return this.#subscribed(frame.ref, frame);
      case 'unsubscribed':
        return this.#unsubscribed(frame.ref, frame.channel);
      case 'answer':
        this.#outbox.answer(frame.ref, frame.data);
        return this.#flush();
      case 'told':
        return this.#outbox.answer(frame.ref, undefined);
      case 'published':
        this.#outbox.answer(frame.ref, frame.id);
        return this.#flush();
      case 'refreshed':
        return this.#expect(frame.expiresAt);
      case 'tell':
        this.#taps?.told(frame);
        return this.#listeners.emit(frame.topic, () => this.state !== 'closed', frame.data);
      case 'error':
        return this.#refused(frame);
      case 'reconnect':
        this.#reconnectAfter = frame.after;
    }
  }

  #ping(id: string | undefined): void {
    this.#send({ type: 'pong' });
    if (id !== undefined) for (const channel of this.#all()) channel.reached(id);
    this.#taps?.pinged(id);
  }

  #subscribed(ref: number, joined: Joined): void {
    const channel = this.#asked.get(ref);
    this.#asked.delete(ref);
    if (!(channel instanceof Channel) || channel.state === 'closed') return;
    this.#join(channel, joined);
    this.#taps?.joined(channel, joined);
  }

  #unsubscribed(ref: number | undefined, name: string): void {
    const channel = this.#channel(name);
    if (ref !== undefined) this.#asked.delete(ref);
    if (ref !== undefined || channel === undefined || !channel.isJoined) return;
    this.#channels.delete(name);
    channel.end(new SignalboxError('forbidden', `the server has ended the subscription of ${name}`));
  }

  #refused({ ref, code, message, retryAfter }: ErrorFrame): void {
    const error = new SignalboxError(code as ClientErrorCode, message, retryAfter);
    if (ref === undefined || ref === this.#refreshRef) {
      this.#retryAfter = retryAfter ?? 0;
      this.#listeners.emit('error', () => this.state !== 'closed', error);
      return;
    }
    const asked = this.#asked.get(ref);
    if (asked !== undefined) {
      this.#asked.delete(ref);
      if (asked instanceof Channel) this.#joinLater(asked, error);
      else this.#leaveLater(asked, error);
      return;
    }
    // What nobody waits for any more made room, too.
    this.#outbox.refuse(ref, error);
    this.#flush();
  }

  /** A subscription that was refused for now is asked for again, one that was refused for good ends. */
  #joinLater(channel: Channel, error: SignalboxError): void {
    if (channel.state === 'closed') return;
    const isUnleft = error.code === 'already_subscribed' && this.#unleft.delete(channel.channel);
    const isFinal =
      (error.retry === 'never' && !isUnleft) ||
      (error.retry === 'token' && this.#options.token === undefined);
    if (isFinal) {
      this.#channels.delete(channel.channel);
      channel.end(error);
      return;
    }
    const delayMs = this.#pauseMs(channel.refusals) + (error.retryAfter ?? 0);
    channel.refusals += 1;
    if (error.retry === 'token') void this.#refresh();
    this.#timers.start(channel, delayMs, () => {
      if (isUnleft) this.#unsubscribe(channel.channel);
      this.#lane.push(channel);
      this.#flush();
    });
  }

  /** A channel that could not be left for now is left later, or when it is asked for again. */
  #leaveLater(name: string, { retry, retryAfter = 0 }: SignalboxError): void {
    if (retry !== 'backoff') return;
    this.#unleft.add(name);
    this.#timers.start(`left ${name}`, this.#pauseMs(0) + retryAfter, () => {
      if (this.#channels.has(name) || !this.#unleft.delete(name)) return;
      this.#unsubscribe(name);
      this.#flush();
    });
  }

  // ── Saying

  #send(frame: object): void {
    this.#socket?.send(JSON.stringify(frame));
  }

  /** Sends what may be sent now: subscriptions first, so that what is published then is heard. */
  #flush(): void {
    if (this.#welcomedAtMs === undefined) return;
    this.#timers.stop('flush');
    for (;;) {
      const text = this.#nextText();
      if (text === undefined) return;
      this.#socket?.send(text);
    }
  }

  #nextText(): string | undefined {
    if (this.#lane.length === 0 && !this.#outbox.hasNext()) return undefined;
    const waitMs = this.#pace.take(this.#clock.now());
    if (waitMs > 0) {
      this.#timers.start('flush', waitMs, () => this.#flush());
      return undefined;
    }
    const first = this.#lane.shift();
    if (typeof first === 'string') return first;
    if (first === undefined) return this.#outbox.next();
    this.#ref += 1;
    this.#asked.set(this.#ref, first);
    const { channel, query } = first;
    return JSON.stringify({ type: 'subscribe', ref: this.#ref, channel, query, ...first.wanted() });
  }

  #request(type: 'ask' | 'tell' | 'publish', fields: object, options?: RequestOptions): Promise<unknown> {
    if (this.state === 'closed') return Promise.reject(closedError());
    this.#ref += 1;
    const text = JSON.stringify({ type, ref: this.#ref, ...fields });
    const { maxFrameBytes = 65_536 } = this.#options;
    if (text.length * 3 > maxFrameBytes && bytesOf(text) > maxFrameBytes)
      return Promise.reject(new SignalboxError('too_large', `a frame has at most ${maxFrameBytes} bytes`));
    return this.#outbox.add(type, this.#ref, text, options);
  }

  // ── The token

  #expect(expiresAt: number | undefined): void {
    this.#timers.stop('refresh');
    if (expiresAt === undefined || this.#options.token === undefined) return;
    // Early, because the clocks of two machines differ, and because a refresh may fail and be tried again.
    const delayMs = Math.max(10_000, (expiresAt - this.#clock.now()) * 0.8);
    this.#timers.start('refresh', delayMs, () => {
      this.#expect(expiresAt);
      void this.#refresh();
    });
  }

  async #refresh(): Promise<void> {
    const attempt = this.#attempt;
    try {
      const token = await this.#options.token?.();
      if (attempt !== this.#attempt) return;
      this.#ref += 1;
      this.#refreshRef = this.#ref;
      this.#send({ type: 'refresh', ref: this.#ref, token });
    } catch (error) {
      this.#listeners.emit('error', () => this.state !== 'closed', error);
    }
  }

  // ── Time

  /** Anything up to a limit that doubles with each failure: who was cut off together does not come back together. */
  #pauseMs(failures: number): number {
    const { backoffMs = 1000, maxBackoffMs = 30_000 } = this.#options;
    return this.#random() * Math.min(maxBackoffMs, backoffMs * 2 ** failures);
  }

  /** Drops a connection on which nothing was heard for so long. */
  #silence(limitMs: number, leftMs = limitMs): void {
    if (leftMs === limitMs) this.#heardAtMs = this.#clock.now();
    this.#timers.start('silence', leftMs, () => {
      const silentMs = this.#clock.now() - this.#heardAtMs;
      if (silentMs >= limitMs) this.#drop(1006);
      else this.#silence(limitMs, Math.min(limitMs, limitMs - silentMs));
    });
  }

  // ── Subscriptions

  #newChannel(name: string, options: SubscribeOptions = {}): Channel {
    return new Channel(
      name,
      options,
      (channel) => this.#leave(channel),
      () => this.#settle(),
    );
  }

  #channel(name: string): Channel | undefined {
    return this.#channels.get(name) ?? [this.user, this.session].find(({ channel }) => channel === name);
  }

  #all(): Channel[] {
    return [this.user, this.session, ...this.#channels.values()];
  }

  #leave(channel: Channel): void {
    if (this.#channels.get(channel.channel) !== channel) return;
    this.#channels.delete(channel.channel);
    this.#timers.stop(channel);
    const waiting = this.#lane.indexOf(channel);
    if (waiting >= 0) {
      this.#lane.splice(waiting, 1);
      return;
    }
    if (this.#welcomedAtMs === undefined) return;
    this.#unsubscribe(channel.channel);
    this.#flush();
  }

  #unsubscribe(channel: string): void {
    this.#ref += 1;
    this.#asked.set(this.#ref, channel);
    this.#lane.push(JSON.stringify({ type: 'unsubscribe', ref: this.#ref, channel }));
  }

  /** The state of the whole, after one of its parts has changed. */
  #settle(): void {
    if (this.#welcomedAtMs === undefined) return;
    const isBehind = this.#all().some(({ state }) => state === 'replaying' || state === 'stale');
    this.#state.set(isBehind ? 'replaying' : 'live');
  }
}

const closedError = () => new SignalboxError('closed', 'the connection is closed');
