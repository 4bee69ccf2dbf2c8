import { type ActorRefFrom, fromPromise } from 'xstate';
import { systemMachine } from '../../machines/system.machine.ts';

export type SystemActor = ActorRefFrom<typeof systemMachine>;

export interface SystemLogicDeps {
  startReader(): void;
  listen(): Promise<void>;
  drain(): Promise<void>;
  shutDown(): Promise<void>;
  onListening(): void;
  onDraining(): void;
}

/** Provides the system's machine, which knows in which order these happen. */
export function createSystemLogic(deps: SystemLogicDeps) {
  return systemMachine.provide({
    actors: {
      listen: fromPromise(() => deps.listen()),
      drain: fromPromise(() => deps.drain()),
      shutDown: fromPromise(() => deps.shutDown()),
    },
    actions: {
      startReader: () => deps.startReader(),
      reportListening: () => deps.onListening(),
      reportDraining: () => deps.onDraining(),
    },
  });
}
