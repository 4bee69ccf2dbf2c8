import { assign, raise, setup } from 'xstate';
import type { CloseReason } from './close-reason.ts';
import { stub } from './stub.ts';

/** What is the same for all sockets. */
export interface SocketTimes {
  readonly handshakeTimeoutMs: number;
  /** Between the last answer of a peer and its end. */
  readonly responseTimeoutMs: number;
  readonly slowConsumerTimeoutMs: number;
  readonly closeTimeoutMs: number;
}

export interface SocketInput {
  readonly id: string;
  readonly times: SocketTimes;
}

export interface SocketContext extends SocketInput {
  /** Pages in a row that could not be read. */
  readonly pageFailures: number;
  readonly closeReason: CloseReason;
  /** In the place of the reason's own word. */
  readonly closeWord?: string | undefined;
}

export type SocketEvent =
  | { type: 'socket.opened' }
  | { type: 'socket.close'; reason: CloseReason; word?: string | undefined }
  | { type: 'credential.renewed'; lifetimeMs: number }
  /** Its turn has come. `silentMs`: since its last answer, at first since it was opened. */
  | { type: 'ping.due'; silentMs: number }
  | { type: 'transport.filled' }
  | { type: 'transport.drained' }
  | { type: 'transport.closed' }
  | { type: 'answer.received' }
  | { type: 'page.failed' }
  | { type: 'delivery.caughtUp' }
  | { type: 'delivery.fellBehind' };

export const firstContext = (input: SocketInput): SocketContext => ({
  ...input,
  pageFailures: 0,
  closeReason: 'gone',
});

/** What a peer has to answer a ping in, however long it has been silent. */
const LEAST_ANSWER_MS = 5_000;

/** Where a socket begins for which nothing needs to be waited for: upgraded, authorised, and live. */
export const OPEN = { open: { delivery: 'live', heartbeat: 'idle', credential: 'lasting' } } as const;

/**
 * One connection. Its regions decide side by side whether frames may flow, whether the peer is there, and
 * whether it may still be served; the frames themselves never pass through here.
 *
 * A socket at rest has no timer: its pings are paced by the heartbeat machine, for all sockets together.
 */
export const socketMachine = setup({
  types: {
    context: {} as SocketContext,
    events: {} as SocketEvent,
    input: {} as SocketInput,
    output: {} as { reason: CloseReason },
  },
  delays: {
    handshakeTimeout: ({ context }) => context.times.handshakeTimeoutMs,
    responseTimeout: ({ context, event }) => {
      const { responseTimeoutMs } = context.times;
      // A clock that was set back must not make it longer, nor one that was put forward too short to answer in.
      const silentMs = event.type === 'ping.due' ? Math.max(0, event.silentMs) : 0;
      return Math.max(responseTimeoutMs - silentMs, Math.min(responseTimeoutMs, LEAST_ANSWER_MS));
    },
    slowConsumerTimeout: ({ context }) => context.times.slowConsumerTimeoutMs,
    closeTimeout: ({ context }) => context.times.closeTimeoutMs,
    credentialLifetime: ({ event }) => (event.type === 'credential.renewed' ? event.lifetimeMs : 0),
    pageRetry: stub('pageRetry'),
  },
  actions: {
    pump: stub('pump'),
    suspendDelivery: stub('suspendDelivery'),
    resumeDelivery: stub('resumeDelivery'),
    sendPing: stub('sendPing'),
    closeTransport: stub('closeTransport'),
    terminateTransport: stub('terminateTransport'),
    setReason: assign((_, params: { reason: CloseReason; word?: string | undefined }) => ({
      closeReason: params.reason,
      ...(params.word !== undefined && { closeWord: params.word }),
    })),
    countPageFailure: assign({ pageFailures: ({ context }) => context.pageFailures + 1 }),
    forgetPageFailures: assign({ pageFailures: 0 }),
  },
}).createMachine({
  id: 'socket',
  context: ({ input }) => firstContext(input),
  output: ({ context }) => ({ reason: context.closeReason }),
  initial: 'connecting',
  on: {
    'transport.closed': { target: '.closed' },
  },
  states: {
    connecting: {
      after: {
        handshakeTimeout: {
          target: 'closing',
          actions: { type: 'setReason', params: { reason: 'handshake_timeout' } },
        },
      },
      on: {
        'socket.opened': 'open',
        'socket.close': {
          target: 'closing',
          actions: { type: 'setReason', params: ({ event }) => ({ reason: event.reason, word: event.word }) },
        },
      },
    },
    open: {
      type: 'parallel',
      on: {
        'socket.close': {
          target: 'closing',
          actions: { type: 'setReason', params: ({ event }) => ({ reason: event.reason, word: event.word }) },
        },
      },
      states: {
        delivery: {
          initial: 'replaying',
          states: {
            replaying: {
              initial: 'catchingUp',
              on: { 'delivery.caughtUp': { target: 'live', actions: 'forgetPageFailures' } },
              states: {
                catchingUp: {
                  entry: 'pump',
                  on: {
                    'transport.filled': 'blocked',
                    'page.failed': { target: 'waiting', actions: 'countPageFailure' },
                    'delivery.fellBehind': { actions: 'pump' },
                  },
                },
                blocked: {
                  after: {
                    slowConsumerTimeout: {
                      target: '#socket.closing',
                      actions: { type: 'setReason', params: { reason: 'too_slow' } },
                    },
                  },
                  on: { 'transport.drained': 'catchingUp' },
                },
                waiting: {
                  after: { pageRetry: 'catchingUp' },
                  on: { 'transport.filled': 'blocked' },
                },
              },
            },
            live: {
              on: {
                'transport.filled': 'replaying.blocked',
                'delivery.fellBehind': 'replaying',
              },
            },
          },
        },
        heartbeat: {
          initial: 'idle',
          states: {
            idle: {
              on: { 'ping.due': { target: 'unanswered', actions: 'sendPing' } },
            },
            unanswered: {
              initial: 'awaiting',
              after: {
                responseTimeout: {
                  target: '#socket.terminating',
                  actions: { type: 'setReason', params: { reason: 'unresponsive' } },
                },
              },
              on: { 'answer.received': 'idle' },
              states: {
                awaiting: {
                  on: { 'ping.due': { target: 'stale', actions: 'sendPing' } },
                },
                stale: {
                  entry: ['suspendDelivery', raise({ type: 'delivery.fellBehind' })],
                  exit: ['resumeDelivery', raise({ type: 'delivery.fellBehind' })],
                  on: { 'ping.due': { actions: 'sendPing' } },
                },
              },
            },
          },
        },
        credential: {
          initial: 'lasting',
          on: { 'credential.renewed': '.expiring' },
          states: {
            lasting: {},
            expiring: {
              after: {
                credentialLifetime: {
                  target: '#socket.closing',
                  actions: { type: 'setReason', params: { reason: 'expired' } },
                },
              },
            },
          },
        },
      },
    },
    closing: {
      entry: ['suspendDelivery', 'closeTransport'],
      after: { closeTimeout: 'terminating' },
    },
    terminating: {
      entry: ['suspendDelivery', 'terminateTransport'],
      always: 'closed',
    },
    closed: { type: 'final' },
  },
});
