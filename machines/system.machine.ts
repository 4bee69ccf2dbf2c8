import { assign, fromPromise, setup } from 'xstate';
import { stub } from './stub.ts';

export interface SystemInput {
  readonly drainTimeoutMs: number;
}

export interface SystemContext extends SystemInput {
  readonly exitCode: number;
  readonly error: unknown;
}

export type SystemEvent = { type: 'system.stop' } | { type: 'actor.crashed'; error: unknown };

/** The life of the process: the only place that knows in which order things start and stop. */
export const systemMachine = setup({
  types: {
    context: {} as SystemContext,
    events: {} as SystemEvent,
    input: {} as SystemInput,
    output: {} as { exitCode: number; error: unknown },
  },
  actors: {
    /** Binds the port; resolves once it is bound. */
    listen: fromPromise<void>(stub('listen')),
    /** Closes the sockets, spread over the drain time. */
    drain: fromPromise<void>(stub('drain')),
    /** Stops the reader, the server and the broker. */
    shutDown: fromPromise<void>(stub('shutDown')),
  },
  delays: { drainTimeout: ({ context }) => context.drainTimeoutMs },
  actions: {
    startReader: stub('startReader'),
    reportListening: stub('reportListening'),
    reportDraining: stub('reportDraining'),
    setFailure: assign((_, params: { error: unknown }) => ({ exitCode: 1, error: params.error })),
  },
}).createMachine({
  id: 'system',
  context: ({ input }) => ({ ...input, exitCode: 0, error: undefined }),
  output: ({ context }) => ({ exitCode: context.exitCode, error: context.error }),
  initial: 'starting',
  states: {
    starting: {
      entry: 'startReader',
      invoke: {
        src: 'listen',
        onDone: 'running',
        onError: {
          target: 'stopping',
          actions: { type: 'setFailure', params: ({ event }) => ({ error: event.error }) },
        },
      },
      on: {
        'system.stop': 'stopping',
        'actor.crashed': {
          target: 'stopping',
          actions: { type: 'setFailure', params: ({ event }) => ({ error: event.error }) },
        },
      },
    },
    running: {
      entry: 'reportListening',
      on: {
        'system.stop': 'draining',
        'actor.crashed': {
          target: 'draining',
          actions: { type: 'setFailure', params: ({ event }) => ({ error: event.error }) },
        },
      },
    },
    draining: {
      entry: 'reportDraining',
      on: {
        'actor.crashed': {
          actions: { type: 'setFailure', params: ({ event }) => ({ error: event.error }) },
        },
      },
      invoke: { src: 'drain', onDone: 'stopping', onError: 'stopping' },
      after: { drainTimeout: 'stopping' },
    },
    stopping: {
      on: {
        'actor.crashed': {
          actions: { type: 'setFailure', params: ({ event }) => ({ error: event.error }) },
        },
      },
      invoke: { src: 'shutDown', onDone: 'stopped', onError: 'stopped' },
      after: { drainTimeout: 'stopped' },
    },
    stopped: { type: 'final' },
  },
});
