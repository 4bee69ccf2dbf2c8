import { fromTransition } from 'xstate';
import type { StreamId } from '../src/event/stream-id.ts';

/** Entries on their way from a reader to the router; inspection sees what `toJSON` gives. */
export interface RoutableBatch {
  readonly count: number;
  readonly firstId: StreamId | undefined;
  readonly lastId: StreamId | undefined;
  toJSON(): { count: number; firstId: StreamId | undefined; lastId: StreamId | undefined };
}

export interface RouterState {
  /** The id of the last event that was routed; undefined before the first. */
  readonly position: StreamId | undefined;
  readonly batches: number;
  readonly events: number;
}

export interface RouterEvent<Batch extends RoutableBatch> {
  readonly type: 'batch.read';
  readonly batch: Batch;
}

/**
 * Takes each batch in one message and routes it from start to end before the next: within a process there is
 * one order. `route` must not throw; an error here ends the process.
 */
export function createRouterLogic<Batch extends RoutableBatch>(route: (batch: Batch) => void) {
  return fromTransition(
    (state: RouterState, { batch }: RouterEvent<Batch>): RouterState => {
      route(batch);
      return {
        position: batch.lastId ?? state.position,
        batches: state.batches + 1,
        events: state.events + batch.count,
      };
    },
    { position: undefined, batches: 0, events: 0 },
  );
}
