import { setup } from 'xstate';
import { stub } from './stub.ts';

export interface HeartbeatContext {
  /** Between two beats; at each of them it is some sockets' turn to be pinged. */
  readonly beatMs: number;
}

/** Paces the pings of all sockets. One timer serves them all, and those that came together are not pinged together. */
export const heartbeatMachine = setup({
  types: {
    context: {} as HeartbeatContext,
    events: {} as { type: 'heartbeat.stop' },
    input: {} as HeartbeatContext,
  },
  delays: { beat: ({ context }) => context.beatMs },
  actions: { pingNext: stub('pingNext') },
}).createMachine({
  id: 'heartbeat',
  context: ({ input }) => input,
  initial: 'beating',
  on: { 'heartbeat.stop': '.stopped' },
  states: {
    beating: {
      after: { beat: { target: 'beating', reenter: true, actions: 'pingNext' } },
    },
    stopped: { type: 'final' },
  },
});
