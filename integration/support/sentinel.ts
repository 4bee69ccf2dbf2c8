import { randomInt } from 'node:crypto';
import { Redis, type RedisOptions } from 'ioredis';
import { eventually } from './eventually.ts';
import { type NatMap, natMapOf } from './nat-map.ts';
import { type Place, type RedisNode, startNode } from './node.ts';
import { ownBackend } from './redis.ts';
import type { Backend } from './run.ts';

/** A master, one replica of it, and the sentinels that watch them. */
export type SentinelGroup = {
  /** The master's name for the sentinels. */
  readonly name: string;
  /** The roles at the start; a failover exchanges them. */
  readonly master: RedisNode;
  readonly replica: RedisNode;
  readonly sentinels: readonly RedisNode[];
  /** What `new Redis(options)` needs to be led to the master by the sentinels. */
  readonly options: RedisOptions;
  /** From the addresses that the sentinels tell to those that are reached from here; empty without containers. */
  readonly natMap: NatMap;
  stop(): Promise<void>;
};

/** `password` is that of master and replica, `sentinelPassword` that of the sentinels. */
export type SentinelSettings = {
  readonly sentinels?: 1 | 3;
  readonly password?: string;
  readonly sentinelPassword?: string;
  /** Default: the run's. See `announcingBackend`. */
  readonly backend?: Backend;
};

/** So quick that a failover is over in some 3 s; a busy machine must not look like a dead one. */
const DOWN_AFTER_MS = 1000;
/** Where three sentinels do not agree on one of them, they try again after twice this. */
const FAILOVER_TIMEOUT_MS = 3000;

/** Starts a group whose replica is in step with its master and whose sentinels know each other and both. */
export async function startSentinel(settings: SentinelSettings = {}): Promise<SentinelGroup> {
  const { sentinels: count = 1, password, sentinelPassword } = settings;
  const { backend = ownBackend() } = settings;
  const name = `main-${randomInt(1e9)}`;
  const secret = password === undefined ? [] : ['--requirepass', password, '--masterauth', password];
  // Without this delay's zero a replica waits 5 s for others that might want the same copy.
  const common = ['--save', '', '--appendonly', 'yes', '--repl-diskless-sync-delay', '0', ...secret];

  const started: RedisNode[] = [];
  const start = async (...spec: Parameters<typeof startNode>) => {
    const node = await startNode(...spec);
    started.push(node);
    return node;
  };
  const stop = async () => {
    await Promise.all(started.map((node) => node.stop()));
  };

  try {
    const master = await start(backend, { args: ({ port }) => ['--port', `${port}`, ...common] });
    const origin = master.announced();
    const replica = await start(backend, {
      args: ({ port }) => ['--port', `${port}`, ...common, '--replicaof', origin.host, `${origin.port}`],
    });
    // Sentinel asks a replica only every 10 s: what it sees first must be a replica that can be promoted.
    await asking(replica, password, (redis) =>
      eventually('the replica is in step', async () =>
        (await redis.info('replication')).includes('master_link_status:up'),
      ),
    );
    const sentinels = await Promise.all(
      Array.from({ length: count }, () =>
        start(backend, {
          args: ({ folder }) => [`${folder}/sentinel.conf`, '--sentinel'],
          files: (place) => ({ 'sentinel.conf': sentinelFile(place, name, origin, settings) }),
        }),
      ),
    );
    await Promise.all(
      sentinels.map((sentinel) =>
        asking(sentinel, sentinelPassword, (redis) =>
          eventually('the sentinel knows replica and sentinels', async () => {
            const [replicas, others] = [
              await redis.call('SENTINEL', 'REPLICAS', name),
              await redis.call('SENTINEL', 'SENTINELS', name),
            ];
            return (replicas as unknown[]).length === 1 && (others as unknown[]).length === count - 1;
          }),
        ),
      ),
    );
    const nodes = [master, replica];
    return {
      name,
      master,
      replica,
      sentinels,
      get options() {
        return {
          name,
          sentinels: sentinels.map(({ host, port }) => ({ host, port })),
          natMap: natMapOf([...nodes, ...sentinels]),
          ...(password === undefined ? {} : { password }),
          ...(sentinelPassword === undefined ? {} : { sentinelPassword }),
        };
      },
      get natMap() {
        return natMapOf([...nodes, ...sentinels]);
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function sentinelFile(
  { port }: Place,
  name: string,
  origin: { readonly host: string; readonly port: number },
  { sentinels: count = 1, password, sentinelPassword }: SentinelSettings,
): string {
  const lines = [
    `port ${port}`,
    `sentinel monitor ${name} ${origin.host} ${origin.port} ${count === 1 ? 1 : 2}`,
    `sentinel down-after-milliseconds ${name} ${DOWN_AFTER_MS}`,
    `sentinel failover-timeout ${name} ${FAILOVER_TIMEOUT_MS}`,
  ];
  if (password !== undefined) lines.push(`sentinel auth-pass ${name} ${password}`);
  if (sentinelPassword !== undefined) {
    lines.push(`requirepass ${sentinelPassword}`, `sentinel sentinel-pass ${sentinelPassword}`);
  }
  return `${lines.join('\n')}\n`;
}

/** Runs `question` on a connection to this node, which is closed afterwards. */
async function asking<T>(
  { host, port }: RedisNode,
  password: string | undefined,
  question: (redis: Redis) => Promise<T>,
): Promise<T> {
  const redis = new Redis({
    host,
    port,
    ...(password === undefined ? {} : { password }),
    enableReadyCheck: false,
  });
  try {
    return await question(redis);
  } finally {
    redis.disconnect();
  }
}
