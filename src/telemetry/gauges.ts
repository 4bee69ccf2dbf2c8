import type { Actors } from '../actors/actors.ts';
import type { Feeds } from '../actors/feeds.ts';
import { CHANNEL_STATES, type ReaderState, SOCKET_STATES } from '../inspect/api.ts';
import type { Metrics } from './metrics.ts';

const INTERVAL_MS = 1_000;
const READER_STATES: readonly ReaderState[] = ['connecting', 'replaying', 'live', 'stale', 'stopped'];

/** What is measured. */
export interface GaugedFeeds extends Pick<Feeds, 'superset' | 'native'> {
  readonly all: readonly Pick<Actors, 'sockets' | 'streams' | 'channels' | 'routing' | 'reading'>[];
}

/**
 * Measures the levels of things, now and once a second. Returns what ends it.
 *
 * States are counted where they are kept, a socket at a time: that is about 1 ms for 10,000 of them, and no transition of any
 * of them pays for it.
 */
export function startGauges(metrics: Metrics, feeds: GaugedFeeds, isReady: () => boolean): () => void {
  const measure = (): void => {
    metrics.gauge('signalbox.ready', isReady() ? 1 : 0);
    measureStates(metrics, feeds);
    measureReaders(metrics, feeds);
    const sum = (of: (feed: GaugedFeeds['all'][number]) => number): number =>
      feeds.all.reduce((total, feed) => total + of(feed), 0);
    // One budget for all of them.
    metrics.gauge('signalbox.buffered_bytes', feeds.all[0]?.routing.budget.total ?? 0);
    metrics.gauge('signalbox.lag_ms', Math.max(0, ...feeds.all.map(({ routing }) => routing.fanOut.lagMs)));
    metrics.gauge(
      'signalbox.window_events',
      sum(({ routing }) => routing.window.length),
    );
    metrics.gauge(
      'signalbox.window_bytes',
      sum(({ routing }) => routing.window.bytes),
    );
  };
  measure();
  const timer = setInterval(measure, INTERVAL_MS);
  timer.unref();
  return () => clearInterval(timer);
}

function measureStates(metrics: Metrics, feeds: GaugedFeeds): void {
  const sockets = { connecting: 0, replaying: 0, live: 0, stale: 0, closing: 0 };
  const channels = { connecting: 0, replaying: 0, live: 0, stale: 0 };
  for (const feed of feeds.all) {
    feed.sockets.countStates(sockets);
    for (const streams of feed.streams) streams.countStates(sockets);
    feed.channels.countStates(channels);
  }
  for (const state of SOCKET_STATES) metrics.gauge('signalbox.sockets', sockets[state], { state });
  for (const state of CHANNEL_STATES) metrics.gauge('signalbox.channels', channels[state], { state });
}

function measureReaders(metrics: Metrics, { all, superset, native }: GaugedFeeds): void {
  const readers = { superset: emptyStates(), native: emptyStates(), pubsub: emptyStates() };
  for (const actors of all) {
    const state = actors.reading.reader?.getSnapshot().value;
    if (state === undefined) continue;
    const feed = actors === superset ? 'superset' : actors === native ? 'native' : 'pubsub';
    readers[feed][state] += 1;
  }
  for (const [feed, states] of Object.entries(readers)) {
    for (const state of READER_STATES) metrics.gauge('signalbox.readers', states[state], { feed, state });
  }
}

function emptyStates(): Record<ReaderState, number> {
  return { connecting: 0, replaying: 0, live: 0, stale: 0, stopped: 0 };
}
