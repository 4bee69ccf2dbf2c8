import type { StreamId } from '../../src/event/stream-id.ts';
import type { InstanceOverview, Overview, ReaderRow } from '../../src/inspect/api.ts';

/** Answers of processes, with what a test is about; everything else is nought. */

export const instanceAt = (
  instance: string,
  atMs: number,
  counters: Partial<InstanceOverview['counters']> = {},
): InstanceOverview => ({
  instance,
  version: '1.0.0',
  atMs,
  startedAtMs: 0,
  isReady: true,
  isDraining: false,
  sockets: { connecting: 0, replaying: 0, live: 0, stale: 0, closing: 0 },
  channels: { connecting: 0, replaying: 0, live: 0, stale: 0 },
  readers: [],
  counters: { routed: 0, delivered: 0, replayed: 0, notDelivered: 0, gaps: 0, ...counters },
  bufferedBytes: 0,
  eventLoopDelayMs: 0,
  broker: { name: 'redis', roundTripMs: 1 },
});

export const readerOf = (part: Partial<ReaderRow>): ReaderRow => ({
  instance: 'a',
  id: 'firehose',
  feed: 'native',
  state: 'live',
  attempt: 0,
  position: '1-0' as StreamId,
  epoch: 'e',
  lagMs: 0,
  batches: 0,
  events: 0,
  isRouting: true,
  window: { events: 0, bytes: 0, maxEvents: 1, maxBytes: 1, floor: '0-0' as StreamId },
  ...part,
});

export const overviewOf = (answers: readonly InstanceOverview[]): Overview => ({ answers, unanswered: [] });
