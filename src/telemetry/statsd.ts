import { StatsD } from 'hot-shots';
import { eachGauge } from './figures.ts';
import type { Labels } from './metric.ts';
import type { Recorder } from './recorder.ts';
import { definitionOf, type SeriesKey, seriesOf } from './series.ts';

export interface StatsdOptions {
  readonly host: string;
  readonly port: number;
  /** `name:value`, or a name alone. */
  readonly globalTags: readonly string[];
  /** Whose gauges those of several processes are is for one of them to say: the others would overwrite them. */
  readonly hasGauges: boolean;
  /** Told of what could not be sent; UDP tells nobody most of the time. */
  readonly onError: (error: Error) => void;
  /** Between two sends of what was counted meanwhile. */
  readonly flushIntervalMs?: number;
}

/** Sends until it is closed. */
export interface StatsdSink {
  close(): Promise<void>;
}

/** What fits an Ethernet frame, with room for the headers of a tunnel. */
const MAX_PACKET_BYTES = 1400;
/** Of one histogram in one send: of more, so many are drawn, and sent with the rate at which they were. */
const MAX_VALUES = 100;

/**
 * Sends what a recorder keeps as DogStatsD text over UDP, under its own names and without a prefix, so that dashboards
 * of the old sidecar go on working.
 *
 * Once a second: counters come to the same, and the fast lane pays for an addition rather than for a packet.
 */
export function startStatsd(recorder: Recorder, options: StatsdOptions): StatsdSink {
  const { host, port, globalTags, hasGauges, onError, flushIntervalMs = 1000 } = options;
  const client = new StatsD({
    host,
    port,
    globalTags: [...globalTags],
    protocol: 'udp',
    maxBufferSize: MAX_PACKET_BYTES,
    // A host is looked up once a minute, not for each packet.
    cacheDns: true,
    // Names and tags are what is documented, whatever Datadog variables the environment has.
    datadog: false,
    includeDataDogTags: false,
    errorHandler: onError,
  });
  const sent = new Map<SeriesKey, number>();

  const flush = (): void => {
    const { counters, gauges } = recorder.figures;
    for (const [key, total] of Object.entries(counters)) {
      const more = total - (sent.get(key) ?? 0);
      if (more === 0) continue;
      sent.set(key, total);
      const { name, labels } = seriesOf(key);
      client.increment(name, more, tagsOf(labels));
    }
    recorder.takeRecent(sendValues);
    if (!hasGauges) return;
    eachGauge({ gauges }, (name, value, labels) => client.gauge(name, value, tagsOf(labels)));
  };
  const sendValues = (key: SeriesKey, values: readonly number[]): void => {
    const { name, labels } = seriesOf(key);
    const kind = definitionOf(name).unit === 'ms' ? 'timing' : 'histogram';
    const tags = tagsOf(labels);
    // The client draws by it, and says it.
    const rate = Math.min(1, MAX_VALUES / values.length);
    for (const value of values) client[kind](name, value, rate, tags);
  };
  const timer = setInterval(flush, flushIntervalMs);
  timer.unref();
  let closed: Promise<void> | undefined;

  return {
    close() {
      closed ??= new Promise((resolve) => {
        clearInterval(timer);
        flush();
        client.close((error) => {
          if (error) onError(error);
          resolve();
        });
      });
      return closed;
    },
  };
}

function tagsOf(labels: Labels): string[] {
  return Object.entries(labels).map(([name, value]) => `${name}:${value}`);
}
