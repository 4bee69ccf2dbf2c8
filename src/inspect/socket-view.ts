import type { OpenSocket } from '../actors/open-socket.ts';
import { socketState } from '../actors/states.ts';
import type { Window } from '../routing/window.ts';
import type { SocketRow, SocketState } from './api.ts';
import { lagOf } from './lag.ts';
import type { SocketFacts } from './rows.ts';

/** Of the channels that a row names. */
const SHOWN_CHANNELS = 8;

/** What a list may ask of an open socket: each thing is worked out when it is asked for, since most are not. */
export class SocketView implements SocketFacts {
  readonly socket: OpenSocket;
  readonly window: Window;
  readonly #instance: () => string;
  readonly #now: () => number;

  constructor(socket: OpenSocket, window: Window, instance: () => string, now: () => number) {
    this.socket = socket;
    this.window = window;
    this.#instance = instance;
    this.#now = now;
  }

  get id(): string {
    return this.socket.id;
  }

  get user(): string | undefined {
    return this.socket.peer.user;
  }

  get session(): string | undefined {
    return this.socket.peer.session;
  }

  get address(): string | undefined {
    return this.socket.peer.address;
  }

  get state(): SocketState {
    return socketState(this.socket.actor.getSnapshot());
  }

  get openedAtMs(): number {
    return this.socket.record?.openedAtMs ?? 0;
  }

  get roundTripMs(): number | undefined {
    return this.socket.record?.roundTripMs;
  }

  get bufferedBytes(): number {
    return this.socket.transport.bufferedBytes;
  }

  get lagMs(): number {
    let mostMs = 0;
    for (const subscription of this.socket.delivery.subscriptions) {
      if (!subscription.live) mostMs = Math.max(mostMs, lagOf(subscription, this.window, this.#now()));
    }
    return mostMs;
  }

  /** All of them, those that a row leaves out too. */
  get channels(): readonly string[] {
    const { subscriptions } = this.socket.delivery;
    if (subscriptions.length === 1) return subscriptions[0]?.channels ?? [];
    return [...new Set(subscriptions.flatMap(({ channels }) => channels))];
  }

  row(): SocketRow {
    const { socket, channels, roundTripMs } = this;
    const expiresAtMs = socket.record?.expiresAtMs;
    return {
      instance: this.#instance(),
      id: socket.id,
      ...socket.peer,
      state: this.state,
      channels: channels.slice(0, SHOWN_CHANNELS),
      channelCount: channels.length,
      openedAtMs: this.openedAtMs,
      lagMs: this.lagMs,
      bufferedBytes: this.bufferedBytes,
      ...(roundTripMs !== undefined && { roundTripMs }),
      ...(expiresAtMs !== undefined && { expiresAtMs }),
    };
  }
}
