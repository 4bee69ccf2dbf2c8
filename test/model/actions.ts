import type { HistoryLimits } from '../../src/broker/memory/history.ts';
import type { RoutingDeps } from '../../src/routing/routing.ts';
import type { NativeWorld } from './native-world.ts';
import { WINDOW } from './tightness.ts';

/** How clients are connected. */
export type ClientKind = 'socket' | 'stream' | 'both';

/** What is published, how much of it is kept, and what a client may be behind. */
export interface Profile {
  readonly history: HistoryLimits;
  readonly limits: RoutingDeps['limits'];
  /** How many events come at once. */
  readonly bursts: readonly number[];
  readonly textLengths: readonly number[];
}

export const PROFILES: Readonly<Record<Exclude<ClientKind, 'both'>, Profile>> = {
  socket: {
    history: { maxLength: 40, maxAgeSeconds: 3_600, firehoseMaxLength: 120 },
    limits: {
      window: WINDOW,
      maxSocketBufferBytes: 1_000,
      maxTotalBufferBytes: 5_000,
      replays: 2,
      replaySlackMs: 0,
    },
    bursts: [1, 1, 2, 5, 20],
    textLengths: [0, 10, 100, 700],
  },
  // More than one page of several channels, which have to be merged.
  stream: {
    history: { maxLength: 260, maxAgeSeconds: 3_600, firehoseMaxLength: 900 },
    limits: {
      window: WINDOW,
      maxSocketBufferBytes: 2_000,
      maxTotalBufferBytes: 10_000,
      replays: 2,
      replaySlackMs: 0,
    },
    bursts: [1, 2, 5, 20, 220],
    textLengths: [0],
  },
};

export type Action = {
  [Name in keyof NativeWorld]: NativeWorld[Name] extends () => void | Promise<void> ? Name : never;
}[Exclude<keyof NativeWorld, 'start' | 'step' | 'finish'>];

interface Chance {
  readonly name: Action;
  /** Left out: of all. */
  readonly of?: ClientKind;
  /** Of several instances alone. */
  readonly isOfSeveral?: boolean;
}

/** What may happen, as often as it is here. */
export const ACTIONS: readonly Chance[] = [
  { name: 'publish' },
  { name: 'publish' },
  { name: 'publish' },
  { name: 'publish', of: 'socket' },
  { name: 'publishUnechoed', of: 'socket' },
  { name: 'publishUnechoed', of: 'socket' },
  { name: 'connect' },
  { name: 'connect' },
  { name: 'connect', of: 'stream' },
  { name: 'subscribe', of: 'socket' },
  { name: 'subscribe', of: 'socket' },
  { name: 'comeFromElsewhere', of: 'socket' },
  { name: 'unsubscribe', of: 'socket' },
  { name: 'cancel', of: 'socket' },
  { name: 'drop' },
  { name: 'stall' },
  { name: 'read' },
  { name: 'read' },
  { name: 'flush' },
  { name: 'flush' },
  { name: 'fallSilent', of: 'socket' },
  { name: 'answer', of: 'socket' },
  { name: 'trim' },
  { name: 'outage' },
  { name: 'loseData' },
  { name: 'wait' },
  { name: 'wait' },
  { name: 'wait' },
  { name: 'move', isOfSeveral: true },
  { name: 'move', isOfSeveral: true },
  { name: 'move', isOfSeveral: true },
  { name: 'connect', isOfSeveral: true },
  { name: 'connect', isOfSeveral: true },
  { name: 'replaceOne', isOfSeveral: true },
  { name: 'revoke', isOfSeveral: true },
  { name: 'tell', isOfSeveral: true },
];
