import * as Either from 'fp-ts/lib/Either.js';
import { compareIds, type StreamId, streamId, ZERO_ID } from '../../../src/event/stream-id.ts';
import { decodeClientFrame } from '../../../src/protocol/native/client-codec.ts';
import type { ClientFrame, Publish, RawJson, Subscribe } from '../../../src/protocol/native/client-frame.ts';
import { type ErrorCode, protocolError, type Ref } from '../../../src/protocol/native/error-codes.ts';
import { userChannel } from '../../../src/protocol/native/names.ts';
import { encodeServerFrame } from '../../../src/protocol/native/server-codec.ts';
import type { Joined, ServerFrame } from '../../../src/protocol/native/server-frame.ts';
import { HeapClock } from '../../support/heap-clock.ts';
import { Random } from '../../support/random.ts';
import { type Acceptor, type ServerEnd, Wire } from './wire.ts';

export interface Logged {
  readonly channel: string;
  readonly topic: string;
  readonly id: StreamId;
  readonly epoch: string;
  readonly data: RawJson;
}

interface Membership {
  cursor: StreamId;
  epoch: string;
  isPumping: boolean;
}

interface Session {
  readonly end: ServerEnd;
  readonly channels: Map<string, Membership>;
  readonly muted: Set<StreamId>;
  isWelcome: boolean;
  pings: number;
}

export interface ServerOptions {
  readonly seed?: number;
  readonly user?: string;
  readonly pingInterval?: number;
  readonly expiresInMs?: number;
  /** What a channel's snapshot is, of its events up to the position. */
  readonly snapshot?: (events: readonly Logged[]) => unknown;
  /** Whether a snapshot is one that was kept some events ago, and not made when it is asked for. */
  readonly isSnapshotKept?: boolean;
  /** What a frame is refused with, before anything else is looked at. */
  readonly refuse?: (frame: ClientFrame) => ErrorCode | undefined;
}

/** A server of signalbox.v1 in memory, by the real codec: a log, replays in many steps, and faults on demand. */
export class TestServer implements Acceptor {
  readonly clock = new HeapClock();
  readonly random: Random;
  readonly wire: Wire;
  /** Everything that was ever published, in order, trimmed or not. */
  readonly log: Logged[] = [];
  /** What was decoded of every client. */
  readonly frames: ClientFrame[] = [];
  /** Frames that were no frames: there should be none. */
  readonly faults: string[] = [];
  readonly tokens: string[] = [];
  /** Others that serve what is published. */
  readonly onAppended = new Set<() => void>();
  epoch = 'e1';
  readonly #options: ServerOptions;
  readonly #sessions = new Map<ServerEnd, Session>();
  readonly #keys = new Map<string, StreamId>();
  readonly #floors = new Map<string, StreamId>();
  #last: StreamId = ZERO_ID;

  constructor(options: ServerOptions = {}) {
    this.#options = options;
    this.random = new Random(options.seed ?? 1);
    this.wire = new Wire(this.clock, this.random, this);
  }

  /** What every client of these tests is made with. */
  get options() {
    return { WebSocket: this.wire.WebSocket, clock: this.clock, random: this.random.next };
  }

  get kept(): readonly Logged[] {
    return this.log.filter(
      ({ channel, id, epoch }) =>
        epoch === this.epoch && compareIds(id, this.#floors.get(channel) ?? ZERO_ID) > 0,
    );
  }

  /** The id of the last event. */
  get position(): StreamId {
    return this.#last;
  }

  /** What is up to here can no longer be had. */
  floorOf(channel: string): StreamId {
    return this.#floors.get(channel) ?? ZERO_ID;
  }

  /** Once for each key. */
  publishOnce(channel: string, topic: string, data: unknown, key: string | undefined): StreamId {
    const known = key === undefined ? undefined : this.#keys.get(`${channel} ${key}`);
    const id = known ?? this.append(channel, data, topic);
    if (key !== undefined) this.#keys.set(`${channel} ${key}`, id);
    return id;
  }

  append(channel: string, data: unknown, topic = 'message'): StreamId {
    const [ms = 0, seq = 0] = this.#last.split('-').map(Number);
    const nowMs = Math.floor(this.clock.now()) - (Number(this.epoch.slice(1)) - 1) * 1_000_000_000;
    this.#last = nowMs > ms ? streamId(nowMs, 0) : streamId(ms, seq + 1);
    const event = {
      channel,
      topic,
      id: this.#last,
      epoch: this.epoch,
      data: JSON.stringify(data) as RawJson,
    };
    this.log.push(event);
    for (const session of this.#sessions.values()) this.#pump(session, channel);
    for (const changed of this.onAppended) changed();
    return this.#last;
  }

  /** What is there now can no longer be had. */
  trim(channel: string): void {
    this.#floors.set(channel, this.#last);
  }

  /** The broker comes back empty; its ids begin anew. */
  loseData(): void {
    this.epoch = `e${Number(this.epoch.slice(1)) + 1}`;
    this.#last = ZERO_ID;
    this.#floors.clear();
    for (const session of this.#sessions.values())
      for (const channel of session.channels.keys()) this.#pump(session, channel);
  }

  /** It cannot be reached for a time, and all its connections are gone. */
  async outage(ms: number): Promise<void> {
    this.wire.isUp = false;
    this.wire.cut(true);
    await this.clock.advance(ms);
    this.wire.isUp = true;
  }

  send(frame: ServerFrame): void {
    for (const { end } of this.#sessions.values()) this.#send(end, frame);
  }

  end(code: number, reason = ''): void {
    for (const { end } of this.#sessions.values()) end.close(code, reason);
  }

  endSubscription(channel: string): void {
    for (const { end, channels } of this.#sessions.values())
      if (channels.delete(channel)) this.#send(end, { type: 'unsubscribed', channel });
  }

  opened(end: ServerEnd): void {
    const session: Session = {
      end,
      channels: new Map(),
      muted: new Set(),
      isWelcome: false,
      pings: 0,
    };
    this.#sessions.set(end, session);
  }

  closed(end: ServerEnd): void {
    this.#sessions.delete(end);
  }

  received(end: ServerEnd, text: string): void {
    const session = this.#sessions.get(end);
    if (session === undefined) return;
    const decoded = decodeClientFrame(text);
    if (Either.isLeft(decoded)) {
      this.faults.push(`${text}: ${decoded.left.message}`);
      this.#send(end, { type: 'error', ...decoded.left });
      return;
    }
    const frame = decoded.right;
    this.frames.push(frame);
    if (frame.type !== 'hello' && !session.isWelcome) this.faults.push(`before hello: ${text}`);
    const refused = this.#options.refuse?.(frame);
    if (refused === undefined) this.#handle(session, frame);
    else this.#refuse(session, refused, 'ref' in frame ? frame.ref : undefined);
  }

  #handle(session: Session, frame: ClientFrame): void {
    const { end, channels } = session;
    switch (frame.type) {
      case 'hello': {
        session.isWelcome = true;
        const { user, pingInterval = 20_000, expiresInMs } = this.#options;
        const own = user === undefined ? undefined : userChannel(user);
        const lastId = own === undefined ? undefined : frame.positions?.get(own);
        const joined = own === undefined ? [] : [this.#join(session, own, lastId, frame.epoch)];
        this.#send(end, {
          type: 'welcome',
          ref: frame.ref,
          socket: 's',
          ...(user !== undefined && { user }),
          pingInterval,
          ...(expiresInMs !== undefined && { expiresAt: this.clock.now() + expiresInMs }),
          subscriptions: joined,
        });
        if (own !== undefined) {
          if (lastId === undefined) this.#snapshot(session, own, joined[0]?.id ?? ZERO_ID);
          this.#pump(session, own);
        }
        if (pingInterval > 0) this.#ping(session, pingInterval);
        return;
      }
      case 'subscribe':
        return this.#subscribe(session, frame);
      case 'unsubscribe':
        if (!channels.delete(frame.channel)) return this.#refuse(session, 'not_subscribed', frame.ref);
        return this.#send(end, { type: 'unsubscribed', ref: frame.ref, channel: frame.channel });
      case 'ask':
        return this.#send(end, { type: 'answer', ref: frame.ref, data: frame.data ?? ('null' as RawJson) });
      case 'tell':
        if (frame.ref !== undefined) this.#send(end, { type: 'told', ref: frame.ref });
        return;
      case 'publish':
        return this.#publish(session, frame);
      case 'refresh':
        this.tokens.push(frame.token);
        return this.#send(end, {
          type: 'refreshed',
          ref: frame.ref,
          expiresAt: this.clock.now() + (this.#options.expiresInMs ?? 0),
        });
      case 'pong':
        session.pings = 0;
    }
  }

  #subscribe(session: Session, { ref, channel, lastId, epoch }: Subscribe): void {
    if (session.channels.has(channel)) return this.#refuse(session, 'already_subscribed', ref);
    const joined = this.#join(session, channel, lastId ?? this.#snapshotId(channel), epoch);
    this.#send(session.end, { type: 'subscribed', ref, ...joined });
    if (lastId === undefined) this.#snapshot(session, channel, joined.id);
    this.#pump(session, channel);
  }

  #join(session: Session, channel: string, lastId: StreamId | undefined, epoch: string | undefined): Joined {
    const isOfNow = epoch === undefined || epoch === this.epoch;
    const cursor = lastId ?? this.#last;
    session.channels.set(channel, {
      cursor,
      epoch: lastId === undefined || isOfNow ? this.epoch : epoch,
      isPumping: false,
    });
    const isTrimmed = compareIds(this.#floors.get(channel) ?? ZERO_ID, cursor) > 0;
    const recovered = lastId === undefined || (isOfNow && !isTrimmed);
    return { channel, id: cursor, epoch: this.epoch, recovered };
  }

  /** Where a kept snapshot is: at any event of the channel, though it may be trimmed by now. */
  #snapshotId(channel: string): StreamId | undefined {
    if (!this.#options.isSnapshotKept) return undefined;
    const ids = this.log.filter((event) => event.channel === channel && event.epoch === this.epoch);
    return ids[this.random.below(ids.length)]?.id;
  }

  #snapshot({ end }: Session, channel: string, id: StreamId): void {
    const { snapshot } = this.#options;
    if (snapshot === undefined) return;
    const events = this.log.filter(
      (event) => event.channel === channel && event.epoch === this.epoch && compareIds(event.id, id) <= 0,
    );
    this.#send(end, { type: 'snapshot', channel, id, data: JSON.stringify(snapshot(events)) as RawJson });
  }

  /** One event after the other, each a moment later, as a replay goes. */
  #pump(session: Session, channel: string): void {
    const member = session.channels.get(channel);
    if (member === undefined || member.isPumping) return;
    member.isPumping = true;
    this.clock.setTimeout(() => {
      member.isPumping = false;
      if (session.channels.get(channel) !== member || !this.#sessions.has(session.end)) return;
      if (this.#step(session, channel, member)) this.#pump(session, channel);
    }, this.random.below(10));
  }

  #step(session: Session, channel: string, member: Membership): boolean {
    const { end } = session;
    const floor = this.#floors.get(channel) ?? ZERO_ID;
    const isOther = member.epoch !== this.epoch;
    if (isOther || compareIds(member.cursor, floor) < 0) {
      const reason = isOther ? 'epoch' : 'trimmed';
      const epoch = isOther ? { epoch: this.epoch } : {};
      this.#send(end, { type: 'gap', channel, after: member.cursor, id: floor, ...epoch, reason });
      member.cursor = floor;
      member.epoch = this.epoch;
      this.#snapshot(session, channel, floor);
      return true;
    }
    const next = this.kept.find(
      (event) => event.channel === channel && compareIds(event.id, member.cursor) > 0,
    );
    if (next === undefined) return false;
    member.cursor = next.id;
    const { id, topic, data } = next;
    if (!session.muted.has(id))
      this.#send(end, { type: 'event', channel, topic, id, time: Number(id.split('-')[0]), data });
    return true;
  }

  #publish(session: Session, { ref, channel, topic, data, key, echo }: Publish): void {
    const id = this.publishOnce(channel, topic, JSON.parse(data), key);
    if (echo === false) session.muted.add(id);
    this.#send(session.end, { type: 'published', ref, id });
  }

  #ping(session: Session, intervalMs: number): void {
    this.clock.setTimeout(() => {
      if (!this.#sessions.has(session.end)) return;
      session.pings += 1;
      if (session.pings > 2) return session.end.close(4408, 'timeout');
      const isLive = [...session.channels].every(([channel, { cursor, epoch, isPumping }]) => {
        const last = this.kept.findLast((event) => event.channel === channel);
        return !isPumping && epoch === this.epoch && compareIds(last?.id ?? ZERO_ID, cursor) <= 0;
      });
      this.#send(session.end, isLive ? { type: 'ping', id: this.#last } : { type: 'ping' });
      this.#ping(session, intervalMs);
    }, intervalMs);
  }

  #refuse({ end }: Session, code: ErrorCode, ref: Ref | undefined): void {
    this.#send(end, { type: 'error', ...protocolError(code, ref) });
  }

  #send(end: ServerEnd, frame: ServerFrame): void {
    end.send(encodeServerFrame(frame));
  }
}
