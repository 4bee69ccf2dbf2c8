import { assign, fromPromise, setup } from 'xstate';
import { stub } from './stub.ts';

export interface CanaryInput {
  /** The feed that it watches: `native`, `superset`. */
  readonly id: string;
  /** How long a doubt may last. */
  readonly toleranceMs: number;
  /** How long a read may wait for an event, and so how long a healthy reader may have nothing to say. */
  readonly blockMs: number;
}

/**
 * How the reader stands to what the broker holds:
 *
 * - `away`: it is not reading, and says so itself
 * - `abreast`: it has all that there is
 * - `behind`: there is more
 * - `beyond`: it claims to be where the log has never been
 * - `silent`: its broker has answered nothing for longer than a read may wait
 * - `unheard`: what was published just now did not come
 */
export type Standing = 'away' | 'abreast' | 'behind' | 'beyond' | 'silent' | 'unheard';

/** What one look at the reader and at the broker found. */
export interface Look {
  readonly standing: Standing;
  /** Changes whenever the reader gets on. */
  readonly progress: string;
  /** What an operator is told: of ids and numbers only. */
  readonly position: string;
  readonly end: string;
}

export interface CanaryContext extends CanaryInput {
  /** What gave rise to the doubt; undefined: nothing. */
  readonly doubt: Look | undefined;
}

export type CanaryEvent = { type: 'reader.live' } | { type: 'canary.stop' };

/** Where the reader is healthy, or is not reading at all, which it says itself. */
const WELL: readonly Standing[] = ['away', 'abreast'];

/**
 * Watches one reader: what its own state cannot say is whether what is published still arrives. It looks, doubts, and
 * looks again; if nothing has moved meanwhile the process is deaf, and the reader is made to connect anew.
 */
export const canaryMachine = setup({
  types: {
    context: {} as CanaryContext,
    events: {} as CanaryEvent,
    input: {} as CanaryInput,
  },
  actors: {
    /** Compares the reader with the broker, asked on another connection; rejects when the broker does not answer. */
    look: fromPromise<Look>(stub('look')),
  },
  delays: {
    interval: stub('interval'),
    /** A read that waits learns of an event at once, but of lost data only when it has waited. */
    tolerance: ({ context }) =>
      context.toleranceMs + (context.doubt?.standing === 'behind' ? 0 : context.blockMs),
  },
  guards: {
    isDoubtful: (_, look: Look) => !WELL.includes(look.standing),
    isStuck: ({ context }, look: Look) =>
      look.standing === context.doubt?.standing && look.progress === context.doubt.progress,
    isAway: (_, look: Look) => look.standing === 'away',
    isHearing: ({ context }, look: Look) =>
      look.standing === 'abreast' || (look.standing !== 'away' && look.progress !== context.doubt?.progress),
  },
  actions: {
    reportDeaf: stub('reportDeaf'),
    reportHearing: stub('reportHearing'),
    reconnectReader: stub('reconnectReader'),
    doubt: assign((_, look: Look) => ({ doubt: look })),
    trust: assign({ doubt: undefined }),
  },
}).createMachine({
  id: 'canary',
  context: ({ input }) => ({ ...input, doubt: undefined }),
  initial: 'hearing',
  on: { 'canary.stop': '.stopped' },
  states: {
    hearing: {
      entry: 'trust',
      initial: 'resting',
      states: {
        resting: { after: { interval: 'looking' } },
        looking: {
          invoke: {
            src: 'look',
            onDone: [
              {
                guard: { type: 'isDoubtful', params: ({ event }) => event.output },
                target: '#canary.doubting',
                actions: { type: 'doubt', params: ({ event }) => event.output },
              },
              'resting',
            ],
            // Without an answer nothing is known, and the reader has the same broker to complain of.
            onError: 'resting',
          },
        },
      },
    },
    doubting: {
      initial: 'waiting',
      states: {
        waiting: { after: { tolerance: 'looking' } },
        looking: {
          invoke: {
            src: 'look',
            onDone: [
              {
                guard: { type: 'isStuck', params: ({ event }) => event.output },
                target: '#canary.deaf',
                actions: { type: 'doubt', params: ({ event }) => event.output },
              },
              '#canary.hearing',
            ],
            onError: '#canary.hearing',
          },
        },
      },
    },
    deaf: {
      entry: ['reportDeaf', 'reconnectReader'],
      initial: 'resting',
      // What a new connection does not mend at once is left alone for an interval.
      on: { 'reader.live': '.checking' },
      states: {
        resting: { after: { interval: 'looking' } },
        checking: {
          invoke: {
            src: 'look',
            onDone: [
              {
                guard: { type: 'isHearing', params: ({ event }) => event.output },
                target: '#canary.hearing',
                actions: 'reportHearing',
              },
              'resting',
            ],
            onError: 'resting',
          },
        },
        looking: {
          invoke: {
            src: 'look',
            onDone: [
              { guard: { type: 'isAway', params: ({ event }) => event.output }, target: 'resting' },
              {
                guard: { type: 'isHearing', params: ({ event }) => event.output },
                target: '#canary.hearing',
                actions: 'reportHearing',
              },
              { target: 'resting', actions: 'reconnectReader' },
            ],
            onError: 'resting',
          },
        },
      },
    },
    stopped: { type: 'final' },
  },
});
