import * as Either from 'fp-ts/lib/Either.js';
import type { CloseReason } from '../../../machines/socket.machine.ts';
import type { AuthError } from '../../auth/auth-error.ts';
import { maySubscribe, mayPublish, type NativePrincipal, ownChannels } from '../../auth/native-principal.ts';
import type { StreamId } from '../../event/stream-id.ts';
import type { Delivery } from '../../routing/delivery.ts';
import type { Subscription } from '../../routing/subscriptions.ts';
import { decodeClientFrame } from './client-codec.ts';
import type { ClientFrame, Hello, Publish, Refresh, Subscribe, Unsubscribe } from './client-frame.ts';
import { type ErrorCode, ERRORS, type Ref } from './error-codes.ts';
import { encodeServerFrame } from './server-codec.ts';
import type { Joined, ServerFrame } from './server-frame.ts';
import { TokenBucket } from './token-bucket.ts';

/** An event that a client publishes. */
export interface ClientPublication {
  readonly channel: string;
  readonly topic: string;
  readonly data: Buffer;
  /** Of this principal and this channel alone. */
  readonly key?: string;
}

/** Its id; or why there is none, where `timeout` is: nobody knows. */
export type PublishAnswer = { readonly id: StreamId } | { readonly refused: 'timeout' | 'unavailable' };

/** What is the same for all sessions. */
export interface SessionRules {
  /** 0: no pings. */
  readonly pingIntervalMs: number;
  readonly maxSubscriptions: number;
  readonly framesPerSecond: number;
  readonly now: () => number;
  /** Of the log; empty: it would not say. */
  readonly epoch: () => string;
  /** Never rejects. */
  readonly publish: (publication: ClientPublication) => Promise<PublishAnswer>;
  /** The principal of a token that goes on for this one. */
  readonly refresh: (token: string, principal: NativePrincipal) => Either.Either<AuthError, NativePrincipal>;
}

/** The socket of a session: what it is told, and what is done with it. */
export interface SessionSocket {
  readonly id: string;
  readonly delivery: Pick<Delivery, 'join' | 'begin' | 'leave' | 'hold' | 'release' | 'say'>;
  opened(credentialLifetimeMs: number | undefined): void;
  renewed(lifetimeMs: number): void;
  end(reason: CloseReason, error?: unknown): void;
}

/** A second's frames may come at once twice over; whoever goes on although refused as often is closed. */
const BURST = 2;
/** Of one socket; their data is kept until the broker has answered. */
export const MAX_PUBLISHES_IN_FLIGHT = 64;
/** A frame that comes too soon is read for its `ref` only while that is cheap. */
const MAX_READ_WHEN_REFUSED = 4_096;

/** The conversation with one client: what each of its frames means. */
export class NativeSession {
  readonly #socket: SessionSocket;
  readonly #rules: SessionRules;
  readonly #subscriptions = new Map<string, Subscription>();
  readonly #allowance: TokenBucket;
  readonly #patience: TokenBucket;
  #principal: NativePrincipal;
  #hasSaidHello = false;
  #isWelcomed = false;
  #hasEnded = false;
  #publishes = 0;

  constructor(socket: SessionSocket, principal: NativePrincipal, rules: SessionRules) {
    this.#socket = socket;
    this.#principal = principal;
    this.#rules = rules;
    const { framesPerSecond: perSecond, now } = rules;
    this.#allowance = new TokenBucket({ perSecond, burst: BURST * perSecond, now });
    this.#patience = new TokenBucket({ perSecond, burst: BURST * perSecond, now });
  }

  /** Takes a message of the client; never throws. */
  receive(data: Buffer, isBinary: boolean): void {
    if (this.#hasEnded) return;
    try {
      if (isBinary) this.#end('protocol');
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
      this.#end('policy');
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
      if (!this.#hasSaidHello) this.#end('protocol');
      return;
    }
    const frame = decoded.right;
    if (this.#hasSaidHello || frame.type === 'hello') return this.#handle(frame);
    const ref = 'ref' in frame ? frame.ref : undefined;
    this.#refuse('bad_request', ref, `The first frame is ${frame.type}; expected hello.`);
    this.#end('protocol');
  }

  #handle(frame: ClientFrame): void {
    switch (frame.type) {
      case 'hello':
        return this.#hello(frame);
      case 'subscribe':
        return this.#subscribe(frame);
      case 'unsubscribe':
        return this.#unsubscribe(frame);
      case 'publish':
        return this.#publish(frame);
      case 'refresh':
        return this.#refresh(frame);
      case 'ask':
      case 'tell':
        return this.#refuse('no_handler', frame.ref, `Nobody here answers ${frame.topic}.`);
      case 'pong':
    }
  }

  #hello({ ref, positions, epoch }: Hello): void {
    if (this.#hasSaidHello) {
      return this.#refuse('bad_request', ref, 'hello was said before; expected any other frame.');
    }
    this.#hasSaidHello = true;
    this.#socket.opened(this.#lifetimeMs());
    const { delivery } = this.#socket;
    const joined = new Map<string, Joined>();
    const channels = ownChannels(this.#principal);
    for (const channel of channels) {
      const subscription = delivery.join([channel], positions?.get(channel), {
        epoch,
        // All of them are in one frame: the last one whose answer is known lets the others go on.
        greet: (recovered) => {
          joined.set(channel, this.#joined(channel, subscription, recovered));
          if (joined.size === channels.length && !this.#isWelcomed) {
            this.#welcome(
              ref,
              channels.map((own) => joined.get(own) as Joined),
            );
          }
          return this.#isWelcomed;
        },
      });
      this.#subscriptions.set(channel, subscription);
    }
    delivery.begin();
  }

  #welcome(ref: Ref, subscriptions: readonly Joined[]): void {
    const { user, session, expiresAtMs } = this.#principal;
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
  }

  #subscribe({ ref, channel, lastId, epoch }: Subscribe): void {
    const { maxSubscriptions } = this.#rules;
    if (!maySubscribe(this.#principal, channel)) return this.#refuse('forbidden', ref);
    if (this.#subscriptions.has(channel)) return this.#refuse('already_subscribed', ref);
    if (this.#subscriptions.size >= maxSubscriptions) return this.#refuse('too_many', ref);
    const { delivery } = this.#socket;
    const subscription = delivery.join([channel], lastId, {
      epoch,
      // What is said after hello comes after welcome.
      isReady: () => this.#isWelcomed,
      greet: (recovered) => {
        this.#say({ type: 'subscribed', ref, ...this.#joined(channel, subscription, recovered) });
        return true;
      },
    });
    this.#subscriptions.set(channel, subscription);
    delivery.begin();
  }

  #unsubscribe({ ref, channel }: Unsubscribe): void {
    const subscription = this.#subscriptions.get(channel);
    if (subscription === undefined) return this.#refuse('not_subscribed', ref);
    this.#leave(channel, subscription);
    this.#say({ type: 'unsubscribed', ref, channel });
  }

  #publish({ ref, channel, topic, data, key, echo }: Publish): void {
    if (!mayPublish(this.#principal, channel)) return this.#refuse('forbidden', ref);
    if (this.#publishes >= MAX_PUBLISHES_IN_FLIGHT) return this.#refuse('too_many', ref);
    // It may be routed before its id is known here, so nothing of the channel is sent until it is.
    const unechoed = echo === false ? this.#subscriptions.get(channel) : undefined;
    const { delivery } = this.#socket;
    if (unechoed !== undefined) delivery.hold(unechoed);
    this.#publishes += 1;
    const settle = (answer: PublishAnswer): void => {
      this.#publishes -= 1;
      const id = 'id' in answer ? answer.id : undefined;
      if (id === undefined) this.#refuse('refused' in answer ? answer.refused : 'internal', ref);
      else this.#say({ type: 'published', ref, id });
      if (unechoed !== undefined) delivery.release(unechoed, id);
    };
    const named = key === undefined ? {} : { key: `u\n${this.#principal.user}\n${channel}\n${key}` };
    this.#rules
      .publish({ channel, topic, data: Buffer.from(data), ...named })
      .then(settle, (error: unknown) => {
        this.#socket.end('failed', error);
      });
  }

  #refresh({ ref, token }: Refresh): void {
    const refreshed = this.#rules.refresh(token, this.#principal);
    if (Either.isLeft(refreshed)) return this.#refuse('unauthorized', ref);
    this.#principal = refreshed.right;
    const own = new Set(ownChannels(this.#principal));
    for (const [channel, subscription] of this.#subscriptions) {
      if (own.has(channel) || maySubscribe(this.#principal, channel)) continue;
      this.#leave(channel, subscription);
      this.#say({ type: 'unsubscribed', channel });
    }
    this.#socket.renewed(this.#lifetimeMs());
    this.#say({ type: 'refreshed', ref, expiresAt: this.#principal.expiresAtMs });
  }

  #leave(channel: string, subscription: Subscription): void {
    this.#subscriptions.delete(channel);
    this.#socket.delivery.leave(subscription);
  }

  /** The cursor as it is now; in another life of the broker its positions mean nothing, so it begins at the new one. */
  #joined(channel: string, { gap, cursor }: Subscription, recovered: boolean): Joined {
    const id = gap?.reason === 'epoch' ? gap.to : cursor;
    return { channel, id, epoch: this.#rules.epoch(), recovered };
  }

  #lifetimeMs(): number {
    return Math.max(0, this.#principal.expiresAtMs - this.#rules.now());
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

  #say(frame: ServerFrame): void {
    this.#socket.delivery.say(encodeServerFrame(frame));
  }

  #end(reason: CloseReason): void {
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
