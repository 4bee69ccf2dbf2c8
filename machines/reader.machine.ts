import { assign, fromPromise, setup } from 'xstate';
import { stub } from './stub.ts';

export interface ReaderInput {
  /** The feed that it drives: `firehose`, `pubsub`, `realtime`. */
  readonly id: string;
  /** Live for this long, and the next failure starts again with the shortest backoff. */
  readonly settleMs: number;
}

export interface ReaderContext extends ReaderInput {
  /** Failures in a row. */
  readonly attempt: number;
  readonly lastError: string | undefined;
}

export type ReaderEvent =
  | { type: 'reader.stop' }
  /** It hears nothing although it is connected: what it has is given up, and it connects anew. */
  | { type: 'reader.reconnect'; error: string };

/** Drives one feed: connects, fills the window, follows, and owns reconnection alone. */
export const readerMachine = setup({
  types: {
    context: {} as ReaderContext,
    events: {} as ReaderEvent,
    input: {} as ReaderInput,
  },
  actors: {
    /** A new connection, the epoch and the start position, resolved once to a concrete id. */
    connect: fromPromise<void>(stub('connect')),
    /** Reads what was published before the start or during an outage, until it has caught up. */
    catchUp: fromPromise<void>(stub('catchUp')),
    /** Blocking reads, batch by batch, for as long as the connection lasts: it only ever rejects. */
    follow: fromPromise<void>(stub('follow')),
  },
  delays: {
    backoff: stub('backoff'),
    settle: ({ context }) => context.settleMs,
  },
  actions: {
    disconnect: stub('disconnect'),
    /** Whoever may have missed what cannot be had later is told. */
    giveUp: stub('giveUp'),
    reportStale: stub('reportStale'),
    reportLive: stub('reportLive'),
    countFailure: assign(({ context }, params: { error: unknown }) => ({
      attempt: context.attempt + 1,
      lastError: params.error instanceof Error ? params.error.message : String(params.error),
    })),
    forgetFailures: assign({ attempt: 0, lastError: undefined }),
  },
}).createMachine({
  id: 'reader',
  context: ({ input }) => ({ ...input, attempt: 0, lastError: undefined }),
  initial: 'connecting',
  on: { 'reader.stop': '.stopped' },
  states: {
    connecting: {
      invoke: {
        src: 'connect',
        onDone: 'replaying',
        onError: {
          target: 'stale',
          actions: { type: 'countFailure', params: ({ event }) => ({ error: event.error }) },
        },
      },
    },
    replaying: {
      on: {
        'reader.reconnect': {
          target: 'stale',
          actions: [{ type: 'countFailure', params: ({ event }) => ({ error: event.error }) }, 'giveUp'],
        },
      },
      invoke: {
        src: 'catchUp',
        onDone: 'live',
        onError: {
          target: 'stale',
          actions: { type: 'countFailure', params: ({ event }) => ({ error: event.error }) },
        },
      },
    },
    live: {
      entry: 'reportLive',
      on: {
        'reader.reconnect': {
          target: 'stale',
          actions: [{ type: 'countFailure', params: ({ event }) => ({ error: event.error }) }, 'giveUp'],
        },
      },
      after: { settle: { actions: 'forgetFailures' } },
      invoke: {
        src: 'follow',
        onDone: 'stale',
        onError: {
          target: 'stale',
          actions: { type: 'countFailure', params: ({ event }) => ({ error: event.error }) },
        },
      },
    },
    stale: {
      entry: ['disconnect', 'reportStale'],
      after: { backoff: 'connecting' },
    },
    stopped: { type: 'final', entry: 'disconnect' },
  },
});
