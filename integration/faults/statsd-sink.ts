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
  /** The last value of a gauge. */
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
  const valuesOf = (name: string, type: string, tag?: string): number[] =>
    lines
      .map((line) => /^([^:]+):([^|]+)\|([a-z]+)(?:\|#(.*))?$/.exec(line) ?? [])
      .filter((part) => part[1] === name && part[3] === type)
      .filter((part) => tag === undefined || part[4]?.split(',').includes(tag))
      .map((part) => Number(part[2]));
  return {
    env: { STATSD_HOST: '127.0.0.1', STATSD_PORT: String(socket.address().port) },
    lines,
    total: (name, tag) => valuesOf(name, 'c', tag).reduce((sum, value) => sum + value, 0),
    gauge: (name) => valuesOf(name, 'g').at(-1),
    stop: () => socket.close(),
  };
}
