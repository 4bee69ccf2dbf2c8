import { afterEach } from '@jest/globals';
import { killServer, type Server, startServer } from '../faults/server.ts';
import { eventually } from '../support/eventually.ts';
import { redisUrl, uniquePrefix } from '../support/redis.ts';
import { Client, Publisher } from '../support/superset.ts';

/** A server of two workers, and what publishes to it. */
export interface Several {
  readonly server: Server;
  readonly port: number;
  readonly publisher: Publisher;
  /** The pids of the workers that have been, by their numbers; the last of each is the one that is. */
  pidOf(worker: number): number;
  /** What `/ready` answers; undefined when it is not answered: a worker that is stuck has the request. */
  readyStatus(): Promise<number | undefined>;
  /** Opens so many, each on a channel of its own unless one is named. */
  open(count: number, channel?: string): Promise<Client[]>;
}

const ended: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ended.splice(0)) await end();
});

/** A server that is ended after the test. */
export function startWorkers(
  env: Readonly<Record<string, string>> = {},
  entry?: string,
): Server & { readonly prefix: string } {
  const prefix = uniquePrefix();
  const server = startServer({
    env: {
      REDIS_URL: redisUrl(),
      REDIS_STREAM_PREFIX: prefix,
      SIGNALBOX_NATIVE_PREFIX: `${prefix}own:`,
      SIGNALBOX_WORKERS: '2',
      SIGNALBOX_DRAIN_MS: '300',
      ...env,
    },
    ...(entry !== undefined && { entry }),
  });
  ended.push(() => killServer(server));
  return { ...server, prefix };
}

/** As `startWorkers`, once all workers are ready. */
export async function startSeveral(
  env: Readonly<Record<string, string>> = {},
  entry?: string,
): Promise<Several> {
  const server = startWorkers(env, entry);
  const publisher = new Publisher(redisUrl(), server.prefix);
  ended.unshift(() => publisher.close());
  await publisher.redis.connect();
  const port = await server.ready();
  return {
    server,
    port,
    publisher,
    pidOf(worker) {
      const pid = server.log.findLast(
        (line) => line['worker'] === worker && line['childPid'] === undefined,
      )?.['pid'];
      if (pid === undefined) throw new Error(`nothing was heard of worker ${worker}`);
      return Number(pid);
    },
    readyStatus: () =>
      fetch(`http://127.0.0.1:${port}/ready`, { signal: AbortSignal.timeout(500) }).then(
        ({ status }) => status,
        () => undefined,
      ),
    open: (count, channel) =>
      Promise.all(
        Array.from({ length: count }, (_, at) => Client.open(port, { channel: channel ?? `channel-${at}` })),
      ),
  };
}

/** Whether a process is there. */
export const isRunning = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

export const untilReady = ({ readyStatus }: Several, status: number): Promise<boolean> =>
  eventually(`/ready is ${status}`, async () => (await readyStatus()) === status);
