import * as Either from 'fp-ts/lib/Either.js';
import type { CloseReason } from '../../../machines/close-reason.ts';
import type { AuthError } from '../../auth/auth-error.ts';
import { mayPublish, type NativePrincipal } from '../../auth/native-principal.ts';
import type { After } from '../../clock.ts';
import type { Decider, Peer } from '../../decider/decider.ts';
import type { StreamId } from '../../event/stream-id.ts';
import type { Delivery } from '../../routing/delivery.ts';
import { Asks } from './asks.ts';
import { Channels } from './channels.ts';
import { decodeClientFrame } from './client-codec.ts';
import type { ClientFrame, Hello, Publish, RawJson, Refresh } from './client-frame.ts';
import { type ErrorCode, ERRORS, type Ref } from './error-codes.ts';
import { publishFor } from './publishing.ts';
import { encodeServerFrame } from './server-codec.ts';
import type { Joined, ServerFrame } from './server-frame.ts';
import type { ClientSession } from './sessions.ts';
import { TokenBucket } from './token-bucket.ts';

/** An event that a client publishes. */
export interface ClientPublication {
  readonly channel: string;
  readonly topic: string;
  readonly data: Buffer;
  /** Of its user and this channel alone, in an installation. */
  readonly key?: string;
}

/** Its id; or why there is none, where `timeout` is: nobody knows. */
export type PublishAnswer = { readonly id: StreamId } | { readonly refused: 'timeout' | 'unavailable' };

type Refreshed = Either.Either<AuthError, NativePrincipal>;
/** Whether a client was told; why not: it was not welcomed yet, may be gone, reads too slowly, has ended. */
export type Told = 'ok' | 'connecting' | 'stale' | 'too_slow' | 'closed';

/** What is the same for all sessions. */
export interface SessionRules {
  /** 0: no pings. */
  readonly pingIntervalMs: number;
  readonly maxSubscriptions: number;
  readonly framesPerSecond: number;
  readonly asksInFlight: number;
  readonly askTimeoutMs: number;
  /** The application. */
  readonly decider: Decider;
  readonly now: () => number;
  readonly after: After;
  /** Of the log; empty: it would not say. */
  readonly epoch: () => string;
  /** Never rejects. */
  readonly publish: (publication: ClientPublication) => Promise<PublishAnswer>;
  /** The principal of a token that goes on for this one. */
  readonly refresh: (token: string, principal: NativePrincipal) => Refreshed | Promise<Refreshed>;
}

/** The socket of a session: what it is told, and what is done with it. */
export interface SessionSocket {
  readonly id: string;
  readonly delivery: Pick<
    Delivery,
    'join' | 'begin' | 'leave' | 'hold' | 'release' | 'say' | 'isSuspended' | 'record'
  >;
  opened(credentialLifetimeMs: number | undefined): void;
  renewed(lifetimeMs: number): void;
  end(reason: CloseReason, error?: unknown): void;
  close(reason: CloseReason, word?: string): void;
}

/** A second's frames may come at once twice over; whoever goes on although refused as often is closed. */
const BURST = 2;
/** Of one socket; their data is kept until the broker has answered. */
export const MAX_PUBLISHES_IN_FLIGHT = 64;
/** A frame that comes too soon is read for its `ref` only while that is cheap. */
const MAX_READ_WHEN_REFUSED = 4_096;

/** The conversation with one client: what each of its frames means. */
export class NativeSession implements ClientSession {
  readonly #socket: SessionSocket;
  readonly #rules: SessionRules;
  readonly #channels: Channels;
  readonly #asks: Asks;
  readonly #allowance: TokenBucket;
  readonly #patience: TokenBucket;
  #peer: Peer;
  #hasSaidHello = false;
  #isWelcomed = false;
  #hasEnded = false;
  #publishes = 0;
  #isRefreshing = false;

  constructor(socket: SessionSocket, principal: NativePrincipal, rules: SessionRules) {
    this.#socket = socket;
    this.#peer = { socket: socket.id, principal };
    this.#rules = rules;
    const { framesPerSecond: perSecond, now } = rules;
    this.#allowance = new TokenBucket({ perSecond, burst: BURST * perSecond, now });
    this.#patience = new TokenBucket({ perSecond, burst: BURST * perSecond, now });
    const { decider } = rules;
    const peer = (): Peer => this.#peer;
    const say = (frame: ServerFrame): void => void this.#say(frame);
    this.#channels = new Channels({
      delivery: socket.delivery,
      decider,
      peer,
      say,
      epoch: rules.epoch,
      max: rules.maxSubscriptions,
    });
    this.#asks = new Asks({
      decider,
      peer,
      say,
      maxInFlight: rules.asksInFlight,
      timeoutMs: rules.askTimeoutMs,
      after: rules.after,
    });
  }

  get id(): string {
    return this.#socket.id;
  }

  get principal(): NativePrincipal {
    return this.#peer.principal;
  }

  /** The channels that the client has, its own ones first. */
  get channels(): readonly string[] {
    return this.#channels.names;
  }

  /** Whether the client has this channel, be it one of its own. */
  isSubscribed(channel: string): boolean {
    return this.#channels.get(channel) !== undefined;
  }

  /** Tells the client something, or says why not: it is best effort, and kept for nobody. */
  tell(topic: string, data: RawJson | undefined): Told {
    if (this.#hasEnded) return 'closed';
    if (!this.#isWelcomed) return 'connecting';
    if (this.#socket.delivery.isSuspended) return 'stale';
    const said = this.#say({ type: 'tell', topic, ...(data !== undefined && { data }) });
    return said ? 'ok' : 'too_slow';
  }

  /**
   * Publishes as this client, whatever it may; a `key` is of its user and the channel alone. `isEchoed` false: not to
   * this socket, which hears of the channel only after `settle` was told the answer.
   */
  publish(publication: ClientPublication, isEchoed: boolean, settle: (answer: PublishAnswer) => void): void {
    publishFor({
      publication,
      user: this.principal.user,
      letGo: isEchoed ? undefined : this.#channels.holdBack(publication.channel),
      publish: this.#rules.publish,
      settle,
      onError: (error) => this.#socket.end('failed', error),
    });
  }

  /**
   * Ends it, for good: its client does not come back. `word` is what the client is told, at most 123 bytes. False when
   * it had ended before.
   */
  end(word?: string): boolean {
    if (this.#hasEnded) return false;
    this.#hasEnded = true;
    this.#socket.close('ended', word);
    return true;
  }

  /** Its socket has gone. */
  closed(reason: CloseReason): void {
    this.#hasEnded = true;
    this.#asks.close();
    this.#channels.close();
    this.#rules.decider.disconnected?.(this.#peer, reason);
  }

  /** Takes a message of the client; never throws. */
  receive(data: Buffer, isBinary: boolean): void {
    if (this.#hasEnded) return;
    try {
      if (isBinary) this.#breakOff('protocol');
      else if (this.#isAllowed(data)) this.#read(data.toString());
    } catch (error) {
      this.#hasEnded = true;
      this.#socket.end('failed', error);
    }
  }

  #isAllowed(data: Buffer): boolean {
    const retryAfter = this.#allowance.take();
    if (retryAfter === 0) return true;
    if (this.#patience.take() > 0) {
      this.#breakOff('policy');
      return false;
    }
    this.#refuse('rate_limited', refOf(data), ERRORS.rate_limited.sentence, retryAfter);
    return false;
  }

  #read(text: string): void {
    const decoded = decodeClientFrame(text);
    if (Either.isLeft(decoded)) {
      const { code, ref, message } = decoded.left;
      this.#refuse(code, ref, message);
      if (!this.#hasSaidHello) this.#breakOff('protocol');
      return;
    }
    const frame = decoded.right;
    if (this.#hasSaidHello || frame.type === 'hello') return this.#handle(frame);
    const ref = 'ref' in frame ? frame.ref : undefined;
    this.#refuse('bad_request', ref, `The first frame is ${frame.type}; expected hello.`);
    this.#breakOff('protocol');
  }

  #handle(frame: ClientFrame): void {
    switch (frame.type) {
      case 'hello':
        return this.#hello(frame);
      case 'subscribe':
        return this.#channels.subscribe(frame);
      case 'unsubscribe':
        return this.#channels.unsubscribe(frame);
      case 'publish':
        return this.#publish(frame);
      case 'refresh':
        return this.#refresh(frame);
      case 'ask':
        return this.#asks.ask(frame);
      case 'tell':
        return this.#asks.tell(frame);
      case 'pong':
    }
  }

  #hello({ ref, positions, epoch }: Hello): void {
    if (this.#hasSaidHello) {
      return this.#refuse('bad_request', ref, 'hello was said before; expected any other frame.');
    }
    this.#hasSaidHello = true;
    this.#socket.opened(this.#lifetimeMs());
    this.#channels.joinOwn(positions, epoch, (subscriptions) => this.#welcome(ref, subscriptions));
  }

  #welcome(ref: Ref, subscriptions: readonly Joined[]): void {
    const { user, session, expiresAtMs } = this.principal;
    this.#isWelcomed = true;
    this.#say({
      type: 'welcome',
      ref,
      socket: this.#socket.id,
      user,
      ...(session !== undefined && { session }),
      pingInterval: this.#rules.pingIntervalMs,
      expiresAt: expiresAtMs,
      subscriptions,
    });
    this.#rules.decider.connected?.(this.#peer);
  }

  #publish({ ref, channel, topic, data, key, echo }: Publish): void {
    if (!mayPublish(this.principal, channel)) return this.#refuse('forbidden', ref);
    if (this.#publishes >= MAX_PUBLISHES_IN_FLIGHT) return this.#refuse('too_many', ref);
    this.#publishes += 1;
    const named = key === undefined ? {} : { key };
    this.publish({ channel, topic, data: Buffer.from(data), ...named }, echo !== false, (answer) => {
      this.#publishes -= 1;
      if ('id' in answer) this.#say({ type: 'published', ref, id: answer.id });
      else this.#refuse(answer.refused, ref);
    });
  }

  #refresh({ ref, token }: Refresh): void {
    // Of two that are asked about at once the one that is answered last would count, whichever came last.
    if (this.#isRefreshing) return this.#refuse('too_many', ref);
    const refreshed = this.#rules.refresh(token, this.principal);
    if (!(refreshed instanceof Promise)) return this.#goOnAs(refreshed, ref);
    this.#isRefreshing = true;
    refreshed.then(
      (answer) => {
        this.#isRefreshing = false;
        this.#goOnAs(answer, ref);
      },
      () => {
        this.#isRefreshing = false;
        this.#refuse('internal', ref);
      },
    );
  }

  #goOnAs(refreshed: Refreshed, ref: Ref): void {
    if (this.#hasEnded) return;
    if (Either.isLeft(refreshed)) {
      return this.#refuse(refreshed.left.code === 'not_known' ? 'unavailable' : 'unauthorized', ref);
    }
    const principal = refreshed.right;
    this.#peer = { socket: this.id, principal };
    this.#socket.renewed(this.#lifetimeMs());
    const say = (): void => void this.#say({ type: 'refreshed', ref, expiresAt: principal.expiresAtMs });
    const reviewed = this.#channels.review();
    if (reviewed === undefined) say();
    else void reviewed.then(say);
  }

  #lifetimeMs(): number {
    return Math.max(0, this.principal.expiresAtMs - this.#rules.now());
  }

  #refuse(
    code: ErrorCode,
    ref: Ref | undefined,
    message: string = ERRORS[code].sentence,
    retryAfter?: number,
  ): void {
    this.#say({
      type: 'error',
      ...(ref !== undefined && { ref }),
      code,
      message,
      ...(retryAfter !== undefined && { retryAfter }),
    });
  }

  #say(frame: ServerFrame): boolean {
    return this.#socket.delivery.say(encodeServerFrame(frame));
  }

  #breakOff(reason: CloseReason): void {
    this.#hasEnded = true;
    this.#socket.end(reason);
  }
}

function refOf(data: Buffer): Ref | undefined {
  if (data.length > MAX_READ_WHEN_REFUSED) return undefined;
  const decoded = decodeClientFrame(data.toString());
  if (Either.isLeft(decoded)) return decoded.left.ref;
  return 'ref' in decoded.right ? decoded.right.ref : undefined;
}
