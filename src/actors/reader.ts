import { type ActorRefFrom, fromPromise } from 'xstate';
import { readerMachine } from '../../machines/reader.machine.ts';
import { fullJitterMs } from '../clock.ts';
import type { Feed } from '../feed/feed.ts';

export type ReaderActor = ActorRefFrom<typeof readerMachine>;

export interface ReaderLogicDeps {
  readonly feed: Feed;
  readonly random: () => number;
  readonly onLive: () => void;
  /** Called once for each time the feed is lost, not for each attempt that follows. */
  readonly onStale: (error: string | undefined) => void;
}

const BACKOFF = { baseMs: 100, capMs: 5_000 };

/** Provides the reader's machine for one feed. */
export function createReaderLogic({ feed, random, onLive, onStale }: ReaderLogicDeps) {
  let isReported = false;
  /** By the canary, which has said so itself. */
  let isGivenUp = false;
  return readerMachine.provide({
    actors: {
      connect: fromPromise(({ signal }) => feed.connect(signal)),
      catchUp: fromPromise(({ signal }) => feed.catchUp(signal)),
      follow: fromPromise<void>(({ signal }) => feed.follow(signal)),
    },
    delays: { backoff: ({ context }) => fullJitterMs(context.attempt, { ...BACKOFF, random }) },
    actions: {
      disconnect: () => feed.disconnect(),
      giveUp: () => {
        isGivenUp = true;
        feed.giveUp();
      },
      reportLive: () => {
        isReported = false;
        onLive();
      },
      reportStale: ({ context }) => {
        if (!isReported && !isGivenUp) onStale(context.lastError);
        isReported = !isGivenUp;
        isGivenUp = false;
      },
    },
  });
}
