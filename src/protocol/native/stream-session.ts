import type { CloseReason } from '../../../machines/close-reason.ts';
import { type NativePrincipal, ownChannels } from '../../auth/native-principal.ts';
import type { Peer, Wish } from '../../decider/decider.ts';
import { beginningOf, type Subscription } from '../../routing/subscriptions.ts';
import { snapshotFor } from './channels.ts';
import type { RawJson } from './client-frame.ts';
import { holdBack, publishFor } from './publishing.ts';
import { encodeServerFrame } from './server-codec.ts';
import type { ServerFrame } from './server-frame.ts';
import type { ClientPublication, PublishAnswer, SessionRules, SessionSocket, Told } from './session.ts';
import type { ClientSession } from './sessions.ts';
import { type SsePosition, ssePosition } from './sse-position.ts';
import { retryMs } from './sse-rules.ts';
import { sseBlock } from './sse-text.ts';

/** How a stream is written: as EventSource's own events, or as frames of `signalbox.v1`. */
export type StreamForm = 'events' | 'frames';

export interface StreamRules extends Pick<SessionRules, 'decider' | 'epoch' | 'now' | 'publish'> {
  readonly random: () => number;
  /** Between two comments, ms. */
  readonly pingIntervalMs: number;
}

export interface StreamOptions {
  readonly form: StreamForm;
  /** It may have all of these channels; in the order of the request. */
  readonly wishes: readonly Wish[];
  /** From where it goes on; undefined: from now. */
  readonly position: SsePosition | undefined;
}

/** A client that only listens: channels with one cursor, which it has from its first moment to its last. */
export class StreamSession implements ClientSession {
  readonly principal: NativePrincipal;
  readonly #socket: SessionSocket;
  readonly #rules: StreamRules;
  readonly #options: StreamOptions;
  readonly channels: readonly string[];
  readonly #subscription: Subscription;
  readonly #gone = new AbortController();
  #isWelcomed = false;
  #hasEnded = false;

  constructor(socket: SessionSocket, principal: NativePrincipal, rules: StreamRules, options: StreamOptions) {
    const { wishes, position } = options;
    this.principal = principal;
    this.#socket = socket;
    this.#rules = rules;
    this.#options = options;
    this.channels = wishes.map(({ channel }) => channel);
    this.#subscription = socket.delivery.join(this.channels, position?.id, {
      epoch: position?.epoch,
      greet: (recovered) => {
        this.#welcome(recovered);
        return true;
      },
      ...snapshotFor(wishes[0] as Wish, rules.decider, () => this.#peer, this.#gone),
    });
  }

  /** Sends what is due to it. */
  begin(): void {
    // Its client comes back when this connection breaks, and is told at once how soon: once opened it is sent what is due.
    this.#socket.delivery.say(sseBlock({ retry: retryMs(this.#rules.random) }));
    this.#socket.opened(Math.max(0, this.principal.expiresAtMs - this.#rules.now()));
    this.#socket.delivery.begin();
  }

  get id(): string {
    return this.#socket.id;
  }

  isSubscribed(channel: string): boolean {
    return this.channels.includes(channel);
  }

  tell(topic: string, data: RawJson | undefined): Told {
    if (this.#hasEnded) return 'closed';
    if (!this.#isWelcomed) return 'connecting';
    if (this.#socket.delivery.isSuspended) return 'stale';
    const told =
      this.#options.form === 'events'
        ? sseBlock({ event: topic, data: data ?? 'null' })
        : frameBlock({ type: 'tell', topic, ...(data !== undefined && { data }) });
    return this.#socket.delivery.say(told) ? 'ok' : 'too_slow';
  }

  publish(publication: ClientPublication, isEchoed: boolean, settle: (answer: PublishAnswer) => void): void {
    const isHeard = isEchoed || !this.isSubscribed(publication.channel);
    publishFor({
      publication,
      user: this.principal.user,
      letGo: isHeard ? undefined : holdBack(this.#socket.delivery, this.#subscription),
      publish: this.#rules.publish,
      settle,
      onError: (error) => this.#socket.end('failed', error),
    });
  }

  end(word?: string): boolean {
    if (this.#hasEnded) return false;
    this.#hasEnded = true;
    this.#socket.close('ended', word);
    return true;
  }

  /** Its socket has gone. */
  closed(reason: CloseReason): void {
    this.#hasEnded = true;
    this.#gone.abort();
    const { decider } = this.#rules;
    if (this.#isWelcomed) {
      for (const { channel } of this.#wished) decider.unsubscribed?.(this.#peer, channel);
    }
    decider.disconnected?.(this.#peer, reason);
  }

  /** Those that the application decides, and hears of: its user's and session's own it has in any case. */
  get #wished(): readonly Wish[] {
    const own = ownChannels(this.principal);
    return this.#options.wishes.filter(({ channel }) => !own.includes(channel));
  }

  get #peer(): Peer {
    return { socket: this.id, principal: this.principal };
  }

  #welcome(recovered: boolean): void {
    this.#isWelcomed = true;
    const { form, position } = this.#options;
    const { channels } = this;
    const isFresh = position === undefined;
    const { decider, epoch, pingIntervalMs } = this.#rules;
    const { terms } = this.#subscription;
    const id = beginningOf(this.#subscription);
    // A gap and a snapshot say it themselves: who was cut off before one of them would come back behind it.
    const isSaidLater = !recovered || terms?.snapshot !== undefined;
    const at = isSaidLater ? {} : { id: ssePosition(epoch(), id) };
    if (form === 'events' && !isSaidLater) this.#socket.delivery.say(sseBlock(at));
    if (form === 'frames') {
      const { user, session, expiresAtMs } = this.principal;
      const welcome: ServerFrame = {
        type: 'welcome',
        ref: 0,
        socket: this.id,
        user,
        ...(session !== undefined && { session }),
        pingInterval: pingIntervalMs,
        expiresAt: expiresAtMs,
        subscriptions: channels.map((channel) => ({ channel, id, epoch: epoch(), recovered })),
      };
      this.#socket.delivery.say(sseBlock({ ...at, data: encodeServerFrame(welcome) }));
      // A snapshot follows within this turn. A client that waits for one knows by this that there is none.
      if (isFresh && channels.length === 1) {
        queueMicrotask(() => this.#socket.delivery.say(frameBlock({ type: 'ping' })));
      }
    }
    decider.connected?.(this.#peer);
    for (const wish of this.#wished) decider.subscribed?.(this.#peer, wish);
  }
}

const frameBlock = (frame: ServerFrame): string => sseBlock({ data: encodeServerFrame(frame) });
