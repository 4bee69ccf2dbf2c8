import { type ActorRefFrom, fromPromise } from 'xstate';
import { canaryMachine, type Look } from '../../machines/canary.machine.ts';

export type CanaryActor = ActorRefFrom<typeof canaryMachine>;

export interface CanaryLogicDeps {
  /** Rejects when the broker does not answer. */
  readonly look: () => Promise<Look>;
  readonly intervalMs: number;
  readonly random: () => number;
  readonly onDeaf: (look: Look) => void;
  readonly onHearing: () => void;
  readonly reconnect: (error: string) => void;
}

/** Provides the canary's machine for one reader. */
export function createCanaryLogic(deps: CanaryLogicDeps) {
  return canaryMachine.provide({
    actors: { look: fromPromise(() => deps.look()) },
    // Instances that were started together do not look together: one that has just published serves all of them.
    delays: { interval: () => deps.intervalMs * (0.75 + deps.random() / 2) },
    actions: {
      reportDeaf: ({ context }) => deps.onDeaf(context.doubt as Look),
      reportHearing: () => deps.onHearing(),
      reconnectReader: () => deps.reconnect(DEAF),
    },
  });
}

const DEAF = 'connected, and deaf: what the broker holds does not arrive';
