import { assign, not, setup } from 'xstate';
import { stub } from './stub.ts';

export interface ChannelInput {
  readonly id: string;
  /** How long a channel without subscribers is kept. */
  readonly gcIntervalMs: number;
}

export interface ChannelContext extends ChannelInput {
  readonly subscribers: number;
  /** Reads of its history under way; joins for the same range share one. */
  readonly pages: number;
  /** Attempts in a row to attach to the feed that failed. */
  readonly attempt: number;
}

export type ChannelEvent =
  | { type: 'feed.attached' }
  | { type: 'feed.failed' }
  | { type: 'feed.lost' }
  | { type: 'subscriber.joined' }
  | { type: 'subscriber.left' }
  | { type: 'page.requested' }
  | { type: 'page.settled' }
  | { type: 'channel.close' };

/** A channel begins with its first subscriber. */
export const firstContext = (input: ChannelInput): ChannelContext => ({
  ...input,
  subscribers: 1,
  pages: 0,
  attempt: 0,
});

/** One channel that has, or recently had, subscribers. */
export const channelMachine = setup({
  types: {
    context: {} as ChannelContext,
    events: {} as ChannelEvent,
    input: {} as ChannelInput,
  },
  delays: {
    gcInterval: ({ context }) => context.gcIntervalMs,
    attachRetry: stub('attachRetry'),
  },
  guards: {
    hasSubscribers: ({ context }) => context.subscribers > 0,
    hasPages: ({ context }) => context.pages > 0,
    isUnused: ({ context }) => context.subscribers <= 0 && context.pages <= 0,
  },
  actions: {
    attach: stub('attach'),
    detach: stub('detach'),
    addSubscriber: assign({ subscribers: ({ context }) => context.subscribers + 1 }),
    removeSubscriber: assign({ subscribers: ({ context }) => context.subscribers - 1 }),
    addPage: assign({ pages: ({ context }) => context.pages + 1 }),
    removePage: assign({ pages: ({ context }) => context.pages - 1 }),
    countAttempt: assign({ attempt: ({ context }) => context.attempt + 1 }),
    forgetAttempts: assign({ attempt: 0 }),
  },
}).createMachine({
  id: 'channel',
  context: ({ input }) => firstContext(input),
  initial: 'connecting',
  on: {
    'subscriber.joined': { actions: 'addSubscriber' },
    'subscriber.left': { actions: 'removeSubscriber' },
    'page.requested': { actions: 'addPage' },
    'page.settled': { actions: 'removePage' },
    'channel.close': '.collected',
  },
  states: {
    connecting: {
      initial: 'attaching',
      on: { 'feed.attached': { target: 'live', actions: 'forgetAttempts' } },
      states: {
        attaching: {
          entry: 'attach',
          on: { 'feed.failed': { target: 'waiting', actions: 'countAttempt' } },
        },
        waiting: {
          // It has no place in the feed that would be worth keeping.
          always: { guard: 'isUnused', target: '#channel.collected' },
          after: { attachRetry: 'attaching' },
        },
      },
    },
    live: {
      on: { 'feed.lost': 'connecting' },
      always: [
        { guard: 'hasPages', target: 'replaying' },
        { guard: not('hasSubscribers'), target: 'stale' },
      ],
    },
    replaying: {
      on: { 'feed.lost': 'connecting' },
      always: { guard: not('hasPages'), target: 'live' },
    },
    stale: {
      on: { 'feed.lost': 'collected' },
      always: { guard: 'hasSubscribers', target: 'live' },
      after: { gcInterval: 'collected' },
    },
    collected: { type: 'final', entry: 'detach' },
  },
});
