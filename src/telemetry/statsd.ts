import { StatsD } from 'hot-shots';
import type { GaugeName, MetricName, Metrics } from './metrics.ts';

export interface StatsdOptions {
  readonly host: string;
  readonly port: number;
  /** `name:value`, or a name alone. */
  readonly globalTags: readonly string[];
  /** Told of what could not be sent; UDP tells nobody most of the time. */
  readonly onError: (error: Error) => void;
  /** Between two sends of what was counted meanwhile. */
  readonly flushIntervalMs?: number;
}

/** What fits an Ethernet frame, with room for the headers of a tunnel. */
const MAX_PACKET_BYTES = 1400;

/**
 * Metrics as DogStatsD text over UDP, under their own names and without a prefix, so that dashboards of the old
 * sidecar go on working.
 *
 * What is counted is added up here and sent once a second: counters come to the same, and the fast lane pays for
 * an addition rather than for a packet.
 */
export function createStatsd(options: StatsdOptions): Metrics {
  const { host, port, globalTags, onError, flushIntervalMs = 1000 } = options;
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
  const counters = new Map<string, Figure<MetricName>>();
  const gauges = new Map<string, Figure<GaugeName>>();

  const flush = (): void => {
    for (const { name, value, tags } of counters.values()) client.increment(name, value, tags);
    counters.clear();
    for (const { name, value, tags } of gauges.values()) client.gauge(name, value, tags);
  };
  const timer = setInterval(flush, flushIntervalMs);
  timer.unref();
  let closed: Promise<void> | undefined;

  return {
    count(name, value = 1, labels) {
      const key = keyOf(name, labels);
      const counter = counters.get(key);
      if (counter === undefined) counters.set(key, { name, value, tags: tagsOf(labels) });
      else counter.value += value;
    },
    gauge(name, value, labels) {
      const key = keyOf(name, labels);
      const gauge = gauges.get(key);
      if (gauge === undefined) gauges.set(key, { name, value, tags: tagsOf(labels) });
      else gauge.value = value;
    },
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

interface Figure<Name extends MetricName> {
  readonly name: Name;
  value: number;
  readonly tags: string[];
}

function keyOf(name: MetricName, labels: Readonly<Record<string, string>> | undefined): string {
  return labels === undefined ? name : `${name} ${Object.values(labels).join(' ')}`;
}

function tagsOf(labels: Readonly<Record<string, string>> = {}): string[] {
  return Object.entries(labels).map(([name, value]) => `${name}:${value}`);
}
