import { afterEach } from '@jest/globals';
import { type Cluster, Redis, type RedisOptions } from 'ioredis';
import { eventually } from '../support/eventually.ts';
import { type Signalbox, startSignalbox } from '../support/signalbox.ts';
import { Client, type ClientOptions } from '../support/superset.ts';

export const PREFIX = 'async-events-';

/** Whole servers, connections and tabs, ended after each test in reverse order. */
export interface Stage {
  atEnd(end: () => unknown): void;
  /** Starts a server by its environment alone; it need not be ready. */
  start(env: Readonly<Record<string, string>>): Promise<Signalbox>;
  ready(signalbox: Signalbox, status?: 200 | 503): Promise<unknown>;
  /** A connection beside the server's, which makes itself anew when it is lost. */
  connect(options: RedisOptions): Redis;
  open(signalbox: Signalbox, options: ClientOptions): Promise<Client>;
}

export function createStage(): Stage {
  const ends: (() => unknown)[] = [];
  afterEach(async () => {
    for (const end of ends.splice(0).toReversed()) await end();
  });
  return {
    atEnd: (end) => void ends.push(end),
    async start(env) {
      const signalbox = await startSignalbox({ REDIS_STREAM_READ_BLOCK_MS: '500', ...env });
      ends.push(() => signalbox.stop());
      return signalbox;
    },
    ready: (signalbox, status = 200) =>
      eventually(`/ready is ${status}`, async () => (await signalbox.readyStatus()) === status, 30_000),
    connect(options) {
      const redis = new Redis({ ...options, enableReadyCheck: false });
      redis.on('error', () => {});
      ends.push(() => redis.disconnect());
      return redis;
    },
    async open(signalbox, options) {
      const client = await Client.open(signalbox.port, options);
      ends.push(() => client.drop());
      return client;
    },
  };
}

/** What the server has said, in order, of Superset's feed or of none. */
const messagesOf = ({ log }: Signalbox): string[] =>
  log.filter(({ feed }) => feed !== 'native').map(({ message }) => String(message));

/** How often the server has said this; the words need only be the beginning. */
export const timesLogged = (signalbox: Signalbox, words: string): number =>
  messagesOf(signalbox).filter((message) => message.startsWith(words)).length;

/**
 * What was said of reading Superset's feed, in order. One outage is said once, however many attempts it takes; a busy
 * machine may have had another that no test asked for.
 */
export const saidOfReading = (signalbox: Signalbox): string =>
  messagesOf(signalbox)
    .flatMap((message) => {
      if (message.startsWith('Reading: the reader is live')) return ['live'];
      return message.startsWith('The broker cannot be read') ? ['stale'] : [];
    })
    .join(' ');

let published = 0;

/**
 * Publishes as Superset's Flask side does, and answers the job ids: for each event two independent XADDs, the
 * channel's own stream first.
 */
export async function publish(redis: Redis | Cluster, channel: string, count: number): Promise<string[]> {
  const jobs: string[] = [];
  for (let at = 0; at < count; at += 1) {
    const job = `job-${(published += 1)}`;
    const data = JSON.stringify({ channel_id: channel, job_id: job, user_id: '1', status: 'done' });
    await redis.xadd(`${PREFIX}${channel}`, 'MAXLEN', '~', 1000, '*', 'data', data);
    await redis.xadd(`${PREFIX}full`, 'MAXLEN', '~', 1_000_000, '*', 'data', data);
    jobs.push(job);
  }
  return jobs;
}
