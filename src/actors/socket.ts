import type { ActorRefFrom } from 'xstate';
import { socketMachine } from '../../machines/socket.machine.ts';
import { fullJitterMs } from '../clock.ts';
import type { SocketJournal } from '../journal/socket-journal.ts';
import type { Delivery } from '../routing/delivery.ts';
import type { SocketProtocol } from '../routing/protocol.ts';
import type { Transport } from '../routing/transport.ts';

/** What a socket's machine acts on. */
export interface Socket {
  readonly id: string;
  /** Where it is noted what it does; undefined: nowhere. */
  readonly record: Pick<SocketJournal, 'step'> | undefined;
  readonly transport: Transport;
  readonly delivery: Delivery;
}

export type SocketLogic = ReturnType<typeof createSocketLogic>;
export type SocketActor = ActorRefFrom<SocketLogic>;

const PAGE_RETRY = { baseMs: 200, capMs: 5_000 };

/** Provides the socket machine, once for all sockets: its actions find theirs by `context.id`. */
export function createSocketLogic(
  find: (id: string) => Socket | undefined,
  protocol: Pick<SocketProtocol, 'closeCode' | 'farewellText'>,
  random: () => number,
) {
  return socketMachine.provide({
    delays: {
      pageRetry: ({ context }) => fullJitterMs(context.pageFailures, { ...PAGE_RETRY, random }),
    },
    actions: {
      pump: ({ context }) => find(context.id)?.delivery.retry(),
      // Nothing but an unanswered ping suspends one that may come back.
      suspendDelivery: ({ context, event }) =>
        find(context.id)?.delivery.suspend(event.type === 'ping.due' ? 'stale' : 'closing'),
      resumeDelivery: ({ context }) => find(context.id)?.delivery.resume(),
      sendPing: ({ context }) => {
        const socket = find(context.id);
        socket?.transport.ping(socket.delivery.ping());
      },
      closeTransport: ({ context }) => {
        const socket = find(context.id);
        const { code, text } = protocol.closeCode(context.closeReason);
        const farewell = protocol.farewellText?.(context.closeReason, random);
        if (farewell !== undefined) socket?.delivery.say(farewell);
        socket?.transport.close(code, context.closeWord ?? text);
      },
      terminateTransport: ({ context }) => find(context.id)?.transport.terminate(),
    },
  });
}

/**
 * Has every step of a machine noted, its timers' among them. Here the event is known that made it, as it is to no
 * observer of the actor; and it is one function for all sockets.
 */
export function noteSteps(logic: SocketLogic, find: (id: string) => Socket | undefined): SocketLogic {
  const { transition } = logic;
  logic.transition = (snapshot, event, scope) => {
    const next = transition(snapshot, event, scope);
    find(next.context.id)?.record?.step(event, next.value);
    return next;
  };
  return logic;
}
