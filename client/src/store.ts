import { callOut, type Readable, Watched } from './listeners.ts';
import { compareIds } from './position.ts';
import type { ChannelEvent, Gap, Subscription } from './subscription.ts';

/** Makes the next value of one and an event; it changes neither. */
export type Reducer<S> = (value: S, event: ChannelEvent) => S;

/** The state, fetched again. */
export interface Refetched<S> {
  readonly data: S;
  /** The position at which it is valid, where that is known: what is later is applied to it. */
  readonly id?: string;
}

export interface StoreOptions<S> {
  /** Makes a value of the data of a snapshot; left out: it is one. */
  readonly ofSnapshot?: (data: never) => S;
  /**
   * Fetches the state again after a gap. What comes meanwhile is applied to its answer; without an `id` some of it may
   * be in there already, so the reducer must stand to see it twice.
   */
  readonly refetch?: (gap: Gap) => Promise<Refetched<S>> | Refetched<S>;
  readonly onError?: (error: unknown) => void;
}

/** A value made of the events of a subscription. */
export interface Store<S> extends Readable<S> {
  /** What was lost, as long as nothing has filled the store again; undefined: nothing. */
  readonly gap: Readable<Gap | undefined>;
}

export function createStore<S>(
  subscription: Subscription,
  reducer: Reducer<S>,
  initial: S,
  { ofSnapshot = (data) => data, refetch, onError = () => {} }: StoreOptions<S> = {},
): Store<S> {
  const value = new Watched(initial);
  const gap = new Watched<Gap | undefined>(undefined);
  /** What came since the state was asked for; another list is another time of asking. */
  let later: ChannelEvent[] | undefined;

  const fill = (data: S) => {
    later = undefined;
    value.set(data);
    gap.set(undefined);
  };

  const fetchAgain = async (lost: Gap, since: ChannelEvent[]) => {
    try {
      const found = await refetch?.(lost);
      if (found === undefined || later !== since || subscription.state === 'closed') return;
      const { data, id } = found;
      fill(since.filter((event) => id === undefined || compareIds(event.id, id) > 0).reduce(reducer, data));
    } catch (error) {
      if (later !== since) return;
      later = undefined;
      callOut(onError, error);
    }
  };

  subscription.on('*', (_, event) => {
    later?.push(event);
    value.set(reducer(value.getSnapshot(), event));
  });
  subscription.on('snapshot', (snapshot) => fill(ofSnapshot(snapshot.data as never)));
  subscription.on('gap', (lost) => {
    gap.set(lost);
    if (refetch === undefined) return;
    later = [];
    void fetchAgain(lost, later);
  });

  const { subscribe, getSnapshot } = value;
  return { subscribe, getSnapshot, gap: { subscribe: gap.subscribe, getSnapshot: gap.getSnapshot } };
}
