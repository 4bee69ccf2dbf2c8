import { createSocket } from 'node:dgram';
import { once } from 'node:events';

/** A StatsD server: what came over UDP. */
export interface StatsdSink {
  /** The environment that makes a Signalbox send to it. */
  readonly env: Readonly<Record<string, string>>;
  /** Every line as it came: `name:value|c|#tag:value`. */
  readonly lines: readonly string[];
  /** The sum of a counter, over its tags; of `tag` only where one is given. */
  total(name: string, tag?: string): number;
  /** The last value of a gauge; the sum of them, where it has several by its tags. */
  gauge(name: string): number | undefined;
  stop(): void;
}

/** Listens for StatsD on a free port of this machine. */
export async function startStatsdSink(): Promise<StatsdSink> {
  const socket = createSocket('udp4');
  const lines: string[] = [];
  socket.on('message', (packet) => lines.push(...packet.toString().split('\n').filter(Boolean)));
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const partsOf = (name: string, type: string) =>
    lines
      .map((line) => /^([^:]+):([^|]+)\|([a-z]+)(?:\|#(.*))?$/.exec(line) ?? [])
      .filter((part) => part[1] === name && part[3] === type)
      .map((part) => ({ value: Number(part[2]), tags: part[4] ?? '' }));
  return {
    env: { STATSD_HOST: '127.0.0.1', STATSD_PORT: String(socket.address().port) },
    lines,
    total: (name, tag) =>
      partsOf(name, 'c')
        .filter(({ tags }) => tag === undefined || tags.split(',').includes(tag))
        .reduce((sum, { value }) => sum + value, 0),
    gauge(name) {
      const last = new Map(partsOf(name, 'g').map(({ value, tags }) => [tags, value]));
      return last.size === 0 ? undefined : [...last.values()].reduce((sum, value) => sum + value, 0);
    },
    stop: () => socket.close(),
  };
}
