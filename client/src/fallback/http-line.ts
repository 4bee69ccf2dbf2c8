import type { GapFrame, Joined, ServerFrame, WelcomeFrame } from '../frames.ts';
import { callHandler, host, type WebSocketLike } from '../host.ts';
import { compareIds } from '../position.ts';
import type { ClientFrame, RequestFrame } from './client-frame.ts';
import type { Http } from './http.ts';
import { Member } from './member.ts';
import { Requests } from './requests.ts';
import { Stream, type StreamEnd, type Wish } from './stream.ts';

/** Changes of the channels within this time are one. */
const COALESCE_MS = 50;
/** Beside the one of all: browsers open six connections to a host, and requests need some. */
const MAX_ALONE = 2;
/** Positions as close as this go on in one stream: from further back the others would come again, too. */
const NEAR_MS = 60_000;
const JOIN_RETRY_MS = 1_000;
const MAX_SPLIT_PAUSE_MS = 30_000;

export interface HttpLineFacts {
  welcomed(): void;
  /** It is over, whoever ended it. */
  ended(wasWelcomed: boolean): void;
}

/**
 * What a WebSocket of `signalbox.v1` says, over HTTP. One stream has all channels, with one cursor: the earliest
 * position of them, and what a channel has had is dropped. A channel that is new, or lost something, has a stream of its
 * own first, because only that brings its snapshot. A stream is left when the next one was welcomed.
 */
export class HttpLine implements WebSocketLike {
  onopen: unknown;
  onmessage: unknown;
  onclose: unknown;
  onerror: unknown;
  readonly #http: Http;
  readonly #facts: HttpLineFacts;
  readonly #requests: Requests;
  readonly #members = new Map<string, Member>();
  readonly #alone = new Map<Member, Stream>();
  #hello: Extract<ClientFrame, { type: 'hello' }> = { type: 'hello' };
  #main: Stream | undefined;
  /** Opened, and not welcomed yet. */
  #next: Stream | undefined;
  /** What the stream has is not what it should have. */
  #isDirty = false;
  #dirtyTimer: unknown;
  #splits = 0;
  #refreshRef: number | undefined;
  /** What is asked, told and published while subscriptions have no answer. */
  readonly #later: RequestFrame[] = [];
  #isClosed = false;

  constructor(http: Http, facts: HttpLineFacts) {
    this.#http = http;
    this.#facts = facts;
    this.#requests = new Requests(http, (frame) => this.#say(frame));
    host.queueMicrotask(() => {
      if (!this.#isClosed) callHandler(this.onopen, {});
    });
  }

  send(text: string): void {
    if (this.#isClosed) return;
    const frame = JSON.parse(text) as ClientFrame;
    switch (frame.type) {
      case 'hello':
        this.#hello = frame;
        return this.#open([], this.#positionOfHello());
      case 'subscribe':
        return this.#subscribe(frame);
      case 'unsubscribe':
        return this.#unsubscribe(frame);
      case 'ask':
      case 'tell':
      case 'publish':
        if (!this.#isJoining) return this.#request(frame);
        // What is published after a subscription is heard by it.
        this.#later.push(frame);
        return;
      case 'refresh':
        this.#http.renew(frame.token);
        this.#refreshRef = frame.ref;
        return this.#soil();
      case 'pong':
    }
  }

  close(code?: number): void {
    this.#leave(code === 1000);
  }

  /**
   * Makes way for another line as soon as nothing is under way, so that nothing is lost by that: `take` is called, and
   * its client comes back at once. Or `giveUp`, when that did not come about in time.
   */
  handOver(patienceMs: number, take: () => void, giveUp: () => void): void {
    const { clock } = this.#http;
    const timer = clock.setTimeout(() => {
      this.#requests.onIdle = undefined;
      giveUp();
    }, patienceMs);
    const whenIdle = () => {
      clock.clearTimeout(timer);
      this.#requests.onIdle = undefined;
      if (this.#isClosed) return giveUp();
      take();
      this.#end(1012, 'restart', 0);
    };
    if (this.#requests.isIdle && this.#later.length === 0) whenIdle();
    else this.#requests.onIdle = whenIdle;
  }

  // ── What the client wants

  #subscribe({ ref, channel, query, lastId: id, epoch }: Extract<ClientFrame, { type: 'subscribe' }>): void {
    const member = new Member(channel, false, (text) => this.#sayText(text), { id, epoch, ref, query });
    this.#members.set(channel, member);
    if (this.#isNear(member)) {
      member.phase = 'merged';
      this.#soil();
    } else this.#join();
  }

  #unsubscribe({ ref, channel }: { readonly ref: number; readonly channel: string }): void {
    this.#forget(this.#members.get(channel));
    this.#say({ type: 'unsubscribed', ref, channel });
  }

  get #isJoining(): boolean {
    return [...this.#members.values()].some(({ ref }) => ref !== undefined);
  }

  /** Sends what has waited for subscriptions, once all of them have an answer. */
  #proceed(): void {
    if (!this.#isJoining) for (const frame of this.#later.splice(0)) this.#request(frame);
  }

  #request(frame: RequestFrame): void {
    if (frame.type === 'ask') this.#requests.ask(frame);
    else if (frame.type === 'tell') this.#requests.tell(frame);
    else this.#publish(frame);
  }

  #publish({ echo, ...frame }: Extract<ClientFrame, { type: 'publish' }>): void {
    const member = echo === false ? this.#members.get(frame.channel) : undefined;
    member?.hold();
    this.#requests.publish(frame, (id) => member?.release(id));
  }

  #forget(member: Member | undefined): void {
    if (member === undefined) return;
    this.#members.delete(member.channel);
    this.#main?.channels.delete(member.channel);
    this.#next?.channels.delete(member.channel);
    this.#alone.get(member)?.close();
    this.#alone.delete(member);
    if (member.phase === 'merged') this.#soil();
    else this.#join();
    this.#proceed();
  }

  /** Has it come by a stream of its own. */
  #part(member: Member): void {
    member.phase = 'waiting';
    this.#main?.channels.delete(member.channel);
    this.#next?.channels.delete(member.channel);
  }

  /** Whether it can go on together with those that are there. */
  #isNear({ id, epoch }: Member): boolean {
    if (id === undefined) return false;
    const others = [...this.#members.values()].filter(({ phase }) => phase === 'merged');
    return others.some(
      (other) =>
        other.id !== undefined && other.epoch === epoch && Math.abs(msOf(other.id) - msOf(id)) < NEAR_MS,
    );
  }

  // ── One stream of all

  /** Has the stream opened anew, soon. */
  #soil(delayMs = COALESCE_MS): void {
    this.#isDirty = true;
    if (this.#next !== undefined || this.#dirtyTimer !== undefined || this.#isClosed) return;
    this.#dirtyTimer = this.#http.clock.setTimeout(() => {
      this.#dirtyTimer = undefined;
      this.#reopen();
    }, delayMs);
  }

  #reopen(): void {
    this.#isDirty = false;
    const merged = [...this.#members.values()].filter(({ phase }) => phase === 'merged');
    const first = merged
      .filter(({ id }) => id !== undefined)
      .reduce<Member | undefined>(
        (least, each) =>
          least === undefined || compareIds(each.id as string, least.id as string) < 0 ? each : least,
        undefined,
      );
    this.#open(merged, first && `${first.epoch ?? ''}.${first.id}`);
  }

  #positionOfHello(): string | undefined {
    const { positions = {}, epoch = '' } = this.#hello;
    const [first] = Object.values(positions).sort(compareIds);
    return first && `${epoch}.${first}`;
  }

  #open(channels: readonly Wish[], position: string | undefined): void {
    const stream: Stream = new Stream(this.#http, {
      channels,
      position,
      frame: (frame, text) => this.#heardOfAll(stream, frame, text),
      ended: (end) => this.#allEnded(stream, end),
    });
    this.#next = stream;
  }

  #heardOfAll(stream: Stream, frame: ServerFrame, text: string): void {
    if (this.#isClosed) return;
    if (frame.type === 'welcome') this.#welcome(stream, frame);
    // Two streams may be there for a moment, and a user's streams all hear the same.
    else if (frame.type === 'tell') {
      if (this.#main === stream) this.#sayText(text);
    } else if (frame.type === 'ping') this.#pinged(stream, frame.id);
    else if ('channel' in frame) {
      const member = this.#members.get(frame.channel);
      const isOfThis = member?.phase === 'merged' && stream.channels.has(frame.channel);
      if (isOfThis) this.#heard(member, frame, text, stream.width > 1);
    }
  }

  #welcome(stream: Stream, frame: WelcomeFrame): void {
    const isFirst = this.#main === undefined;
    this.#main?.close();
    this.#main = stream;
    this.#next = undefined;
    this.#splits = 0;
    if (isFirst) return this.#welcomeClient(stream, frame);
    for (const joined of frame.subscriptions) {
      const member = this.#members.get(joined.channel);
      if (member !== undefined) this.#joined(member, joined);
    }
    if (this.#refreshRef !== undefined)
      this.#say({ type: 'refreshed', ref: this.#refreshRef, expiresAt: frame.expiresAt });
    this.#refreshRef = undefined;
    if (this.#isDirty) this.#soil();
  }

  /** The first one has the channels of the user and the session: only now it is known whose they are. */
  #welcomeClient(stream: Stream, frame: WelcomeFrame): void {
    const { positions = {}, epoch } = this.#hello;
    const subscriptions = frame.subscriptions.map((joined) => {
      const known = positions[joined.channel];
      const id = joined.recovered ? (known ?? joined.id) : joined.id;
      const member = new Member(joined.channel, true, (text) => this.#sayText(text), {
        id: known ?? joined.id,
        epoch: joined.recovered ? joined.epoch : epoch,
      });
      member.phase = 'merged';
      member.isGapDue = known !== undefined && !joined.recovered;
      this.#members.set(joined.channel, member);
      stream.channels.add(joined.channel);
      return { ...joined, id };
    });
    this.#facts.welcomed();
    this.#say({ ...frame, subscriptions });
  }

  /** Answers a subscription. */
  #joined(member: Member, { channel, id, epoch, recovered }: Joined): void {
    const { ref } = member;
    if (ref === undefined) return;
    member.ref = undefined;
    member.isGapDue = member.id !== undefined && !recovered;
    if (member.id === undefined || recovered) member.epoch = epoch;
    const from = member.id !== undefined && recovered ? member.id : id;
    member.id ??= id;
    this.#say({ type: 'subscribed', ref, channel, id: from, epoch, recovered });
    this.#proceed();
  }

  #heard(member: Member, frame: ServerFrame, text: string, isShared: boolean): void {
    if (frame.type === 'event') member.event(frame, text);
    else if (frame.type === 'snapshot') member.snapshot(frame, text);
    else if (frame.type === 'gap') this.#gap(member, frame, isShared);
  }

  #gap(member: Member, frame: GapFrame, isShared: boolean): void {
    const isLost = member.gap(frame);
    // A stream of several channels brings no snapshot.
    if (!isLost || !isShared) return;
    member.floor = member.id;
    this.#part(member);
    this.#join();
  }

  #pinged(stream: Stream, id: string | undefined): void {
    if (stream !== this.#main) return;
    const members = [...this.#members.values()];
    // What it proves it proves of its own channels. What is held back was not heard yet.
    const isOfAll =
      !this.#isDirty &&
      this.#next === undefined &&
      members.every(
        ({ phase, isHeld, channel }) => phase === 'merged' && !isHeld && stream.channels.has(channel),
      );
    if (id !== undefined)
      for (const member of members)
        if (member.phase === 'merged' && stream.channels.has(member.channel)) member.reached(id);
    this.#say({ type: 'ping', ...(isOfAll && { id }) });
  }

  #allEnded(stream: Stream, { status, retryMs }: StreamEnd): void {
    const isMain = stream === this.#main;
    // The next one may live.
    if (isMain && this.#next !== undefined) return;
    if (!isMain && codeOf(status) !== undefined && this.#main !== undefined) return this.#split();
    this.#end(...closeOf(status), retryMs);
  }

  /** One of its channels may not be had: each is asked for alone, which says which. */
  #split(): void {
    this.#next = undefined;
    for (const member of this.#members.values())
      if (!member.isOwn && member.phase === 'merged') this.#part(member);
    this.#splits += 1;
    this.#join();
    this.#soil(Math.min(MAX_SPLIT_PAUSE_MS, JOIN_RETRY_MS * 2 ** this.#splits));
  }

  // ── Streams of one channel

  /** Opens those that wait, a few at a time. */
  #join(): void {
    for (const member of this.#members.values()) {
      if (this.#alone.size >= MAX_ALONE || this.#isClosed) return;
      if (member.phase === 'waiting') this.#openAlone(member);
    }
  }

  #openAlone(member: Member): void {
    member.phase = 'alone';
    const isFresh = member.id === undefined || member.floor !== undefined;
    const stream = new Stream(this.#http, {
      channels: [member],
      position: isFresh ? undefined : `${member.epoch ?? ''}.${member.id}`,
      frame: (frame, text) => {
        if (this.#alone.get(member) !== stream) return;
        if (frame.type === 'welcome') {
          const [joined] = frame.subscriptions;
          if (joined !== undefined) this.#joined(member, joined);
        } else if (frame.type !== 'ping') this.#heard(member, frame, text, false);
        // When its beginning is over: of one without a position at the first, of others when it has all.
        else if (isFresh || frame.id !== undefined) this.#merge(member, frame.id);
      },
      ended: (end) => this.#aloneEnded(member, end),
    });
    this.#alone.set(member, stream);
  }

  #merge(member: Member, id: string | undefined): void {
    if (id !== undefined) member.reached(id);
    member.floor = undefined;
    member.phase = 'merged';
    this.#alone.get(member)?.close();
    this.#alone.delete(member);
    this.#soil();
    this.#join();
  }

  #aloneEnded(member: Member, { status, retryMs = JOIN_RETRY_MS }: StreamEnd): void {
    this.#alone.delete(member);
    if (status === 401) return this.#end(4401, 'unauthorized');
    const code = codeOf(status);
    if (code !== undefined) {
      const { ref, channel } = member;
      this.#forget(member);
      if (ref === undefined) this.#say({ type: 'unsubscribed', channel });
      else this.#say({ type: 'error', ref, code, message: `${channel} may not be subscribed` });
      return;
    }
    this.#http.clock.setTimeout(() => {
      if (this.#members.get(member.channel) !== member) return;
      member.phase = 'waiting';
      this.#join();
    }, retryMs);
    this.#join();
  }

  // ── Its end

  #end(code: number, reason: string, retryMs?: number): void {
    if (this.#isClosed) return;
    if (retryMs !== undefined) this.#say({ type: 'reconnect', after: retryMs });
    if (this.#isClosed) return;
    this.#leave(false);
    callHandler(this.onclose, { code, reason });
  }

  #leave(isForGood: boolean): void {
    if (this.#isClosed) return;
    const wasWelcomed = this.#members.size > 0;
    this.#isClosed = true;
    this.#http.clock.clearTimeout(this.#dirtyTimer);
    for (const stream of [this.#main, this.#next, ...this.#alone.values()]) stream?.close();
    this.#requests.close(isForGood);
    this.#facts.ended(wasWelcomed);
  }

  #say(frame: object | string): void {
    this.#sayText(typeof frame === 'string' ? frame : JSON.stringify(frame));
  }

  #sayText(text: string): void {
    if (!this.#isClosed) callHandler(this.onmessage, { data: text });
  }
}

/** Why its channels may not be had, as the client is told; undefined: it is not about them. */
function codeOf(status: number | undefined): string | undefined {
  if (status === 403) return 'forbidden';
  if (status === 400) return 'bad_request';
  return status === 431 ? 'too_large' : undefined;
}

/** What the end of a stream is to a client of WebSockets. */
function closeOf(status: number | undefined): [code: number, reason: string] {
  if (status === 401) return [4401, 'unauthorized'];
  if (status === 403) return [4403, 'forbidden'];
  if (codeOf(status) !== undefined) return [1013, 'too_many'];
  return [1006, ''];
}

const msOf = (id: string): number => Number(id.split('-')[0]);
