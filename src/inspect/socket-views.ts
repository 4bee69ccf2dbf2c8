import { type StreamId, ZERO_ID } from '../event/stream-id.ts';
import type { Actors } from '../actors/actors.ts';
import { leavesOf } from '../actors/machine-words.ts';
import type { Journal } from '../journal/journal.ts';
import type { SocketJournal } from '../journal/socket-journal.ts';
import type { SubscriptionJournal } from '../journal/subscription-journal.ts';
import type { Subscription } from '../routing/subscriptions.ts';
import type { Window } from '../routing/window.ts';
import type { SocketDetail, SubscriptionDetail } from './api.ts';
import { lagOf } from './lag.ts';
import { SocketView } from './socket-view.ts';

/** Of those that a row names. */
const SHOWN_CHANNELS = 8;
/** Of those that a socket has, the first are described. */
const SHOWN_SUBSCRIPTIONS = 200;

export interface SocketViewsDeps {
  readonly instance: () => string;
  readonly feeds: { readonly all: readonly Actors[] };
  /** Undefined: nothing is kept of what was. */
  readonly journal: Journal | undefined;
  readonly now: () => number;
}

/** The sockets of this process, as rows of a list and one by one. */
export class SocketViews {
  readonly #deps: SocketViewsDeps;

  constructor(deps: SocketViewsDeps) {
    this.#deps = deps;
  }

  /** Every open socket. */
  *all(): Iterable<SocketView> {
    for (const actors of this.#deps.feeds.all) yield* this.of(actors);
  }

  /** Every open socket of a feed. */
  *of({ sockets, streams, routing }: Actors): Iterable<SocketView> {
    const { instance, now } = this.#deps;
    for (const some of [sockets, ...streams]) {
      for (const socket of some.all()) yield new SocketView(socket, routing.window, instance, now);
    }
  }

  get(id: string): SocketView | undefined {
    const { instance, now, feeds } = this.#deps;
    for (const { sockets, streams, routing } of feeds.all) {
      for (const some of [sockets, ...streams]) {
        const socket = some.get(id);
        if (socket !== undefined) return new SocketView(socket, routing.window, instance, now);
      }
    }
    return undefined;
  }

  /** Of one that is open, or has not been gone for long. */
  detail(id: string): SocketDetail | undefined {
    const view = this.get(id);
    const journal = view?.socket.record ?? this.#deps.journal?.socket(id);
    if (view === undefined && journal === undefined) return undefined;
    const past = {
      transitions: journal?.transitions ?? [],
      denials: journal?.denials ?? [],
    };
    if (view === undefined) return { ...this.#gone(journal as SocketJournal), ...past };
    const { socket, window } = view;
    return {
      ...view.row(),
      ...past,
      active: leavesOf(socket.actor.getSnapshot().value),
      isPaused: socket.delivery.isPaused,
      subscriptions: socket.delivery.subscriptions
        .slice(0, SHOWN_SUBSCRIPTIONS)
        .map((subscription) => this.#subscription(subscription, window, journal)),
    };
  }

  #subscription(
    subscription: Subscription,
    window: Window,
    journal: SocketJournal | undefined,
  ): SubscriptionDetail {
    const { channels, cursor, live } = subscription;
    const record = journal?.subscriptions.findLast((one) => isOf(one, channels));
    return {
      channels,
      mode: live ? 'live' : 'replaying',
      cursor,
      lagMs: lagOf(subscription, window, this.#deps.now()),
      behind: live ? 0 : window.countAfter(channels, cursor),
      spans: record?.spans ?? [],
    };
  }

  #gone(journal: SocketJournal): Omit<SocketDetail, 'transitions' | 'denials'> {
    const { id, active, closed, subscriptions } = journal;
    const channels = [...new Set(subscriptions.flatMap((one) => one.channels))];
    const { openedAtMs, roundTripMs, expiresAtMs } = journal;
    return {
      instance: this.#deps.instance(),
      id,
      ...journal.peer,
      openedAtMs,
      ...(roundTripMs !== undefined && { roundTripMs }),
      ...(expiresAtMs !== undefined && { expiresAtMs }),
      state: 'closed',
      ...(closed !== undefined && { closed: { atMs: closed.atMs, reason: closed.reason } }),
      channels: channels.slice(0, SHOWN_CHANNELS),
      channelCount: channels.length,
      lagMs: 0,
      bufferedBytes: 0,
      active,
      isPaused: false,
      subscriptions: subscriptions.slice(-SHOWN_SUBSCRIPTIONS).map((one) => ({
        channels: one.channels,
        mode: 'replaying',
        cursor: lastCursorOf(one),
        lagMs: 0,
        behind: 0,
        spans: one.spans,
      })),
    };
  }
}

const isOf = (record: SubscriptionJournal, channels: readonly string[]): boolean =>
  record.channels.length === channels.length && record.channels.every((name, at) => name === channels[at]);

/** Where one that has ended was. */
function lastCursorOf({ spans }: SubscriptionJournal): StreamId {
  const last = spans.findLast((span) => 'cursor' in span);
  return last !== undefined && 'cursor' in last ? last.cursor : ZERO_ID;
}
