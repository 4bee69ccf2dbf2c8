import { assign, raise, setup } from 'xstate';
import { stub } from './stub.ts';

/** Why a socket ends; each protocol maps it to a close code of its own. */
export type CloseReason =
  | 'handshake_timeout'
  | 'unresponsive'
  | 'too_slow'
  | 'expired'
  | 'drain'
  | 'lossy'
  | 'policy'
  | 'failed'
  | 'gone';

export interface SocketInput {
  readonly id: string;
  readonly handshakeTimeoutMs: number;
  /** 0: no pings, and so no `stale`. */
  readonly pingIntervalMs: number;
  /** The random part of the interval after which the first ping goes out. */
  readonly firstPingMs: number;
  readonly responseTimeoutMs: number;
  readonly slowConsumerTimeoutMs: number;
  readonly closeTimeoutMs: number;
}

export interface SocketContext extends SocketInput {
  readonly pinged: boolean;
  /** Undefined: the credential does not expire. */
  readonly credentialLifetimeMs: number | undefined;
  /** Pages in a row that could not be read. */
  readonly pageFailures: number;
  readonly closeReason: CloseReason;
}

export type SocketEvent =
  | {
      type: 'socket.opened';
      credentialLifetimeMs?: number;
      /** Nothing is due to it: its client did not ask for what it missed. */
      isLive?: boolean;
    }
  | { type: 'socket.close'; reason: CloseReason }
  | { type: 'transport.filled' }
  | { type: 'transport.drained' }
  | { type: 'transport.closed' }
  | { type: 'answer.received' }
  | { type: 'page.failed' }
  | { type: 'delivery.caughtUp' }
  | { type: 'delivery.fellBehind' };

/** A delay that does not run out: what a clock keeps no timer for. */
const NEVER = Number.POSITIVE_INFINITY;

/**
 * One connection. Its regions decide side by side whether frames may flow, whether the peer is there, and
 * whether it may still be served; the frames themselves never pass through here.
 */
export const socketMachine = setup({
  types: {
    context: {} as SocketContext,
    events: {} as SocketEvent,
    input: {} as SocketInput,
    output: {} as { reason: CloseReason },
  },
  delays: {
    handshakeTimeout: ({ context }) => context.handshakeTimeoutMs,
    firstOrNextPing: ({ context }) => {
      if (context.pingIntervalMs === 0) return NEVER;
      return context.pinged ? context.pingIntervalMs : context.firstPingMs;
    },
    pingInterval: ({ context }) => context.pingIntervalMs,
    responseTimeout: ({ context }) => (context.pingIntervalMs === 0 ? NEVER : context.responseTimeoutMs),
    slowConsumerTimeout: ({ context }) => context.slowConsumerTimeoutMs,
    closeTimeout: ({ context }) => context.closeTimeoutMs,
    credentialLifetime: ({ context }) => context.credentialLifetimeMs ?? NEVER,
    pageRetry: stub('pageRetry'),
  },
  guards: {
    isLive: ({ event }) => event.type === 'socket.opened' && event.isLive === true,
  },
  actions: {
    pump: stub('pump'),
    suspendDelivery: stub('suspendDelivery'),
    resumeDelivery: stub('resumeDelivery'),
    sendPing: stub('sendPing'),
    closeTransport: stub('closeTransport'),
    terminateTransport: stub('terminateTransport'),
    setReason: assign((_, params: { reason: CloseReason }) => ({ closeReason: params.reason })),
    setLifetime: assign(({ event }) =>
      event.type === 'socket.opened' ? { credentialLifetimeMs: event.credentialLifetimeMs } : {},
    ),
    markPinged: assign({ pinged: true }),
    countPageFailure: assign({ pageFailures: ({ context }) => context.pageFailures + 1 }),
    forgetPageFailures: assign({ pageFailures: 0 }),
  },
}).createMachine({
  id: 'socket',
  context: ({ input }) => ({
    ...input,
    pinged: false,
    credentialLifetimeMs: undefined,
    pageFailures: 0,
    closeReason: 'gone',
  }),
  output: ({ context }) => ({ reason: context.closeReason }),
  initial: 'connecting',
  on: {
    'transport.closed': { target: '.closed' },
  },
  states: {
    connecting: {
      after: {
        handshakeTimeout: {
          target: 'terminating',
          actions: { type: 'setReason', params: { reason: 'handshake_timeout' } },
        },
      },
      on: {
        'socket.opened': [
          { guard: 'isLive', target: 'open.delivery.live', actions: 'setLifetime' },
          { target: 'open', actions: 'setLifetime' },
        ],
        'socket.close': {
          target: 'terminating',
          actions: { type: 'setReason', params: ({ event }) => ({ reason: event.reason }) },
        },
      },
    },
    open: {
      type: 'parallel',
      on: {
        'socket.close': {
          target: 'closing',
          actions: { type: 'setReason', params: ({ event }) => ({ reason: event.reason }) },
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
          initial: 'beating',
          states: {
            // One state around the three: re-entering the region itself would re-enter its siblings too.
            beating: {
              initial: 'idle',
              after: {
                responseTimeout: {
                  target: '#socket.terminating',
                  actions: { type: 'setReason', params: { reason: 'unresponsive' } },
                },
              },
              on: { 'answer.received': { target: 'beating', reenter: true } },
              states: {
                idle: {
                  after: { firstOrNextPing: { target: 'awaiting', actions: ['sendPing', 'markPinged'] } },
                },
                awaiting: {
                  after: { pingInterval: { target: 'stale', actions: 'sendPing' } },
                },
                stale: {
                  entry: ['suspendDelivery', raise({ type: 'delivery.fellBehind' })],
                  exit: ['resumeDelivery', raise({ type: 'delivery.fellBehind' })],
                  initial: 'waiting',
                  states: {
                    waiting: {
                      after: { pingInterval: { target: 'waiting', reenter: true, actions: 'sendPing' } },
                    },
                  },
                },
              },
            },
          },
        },
        credential: {
          initial: 'valid',
          states: {
            valid: {
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
