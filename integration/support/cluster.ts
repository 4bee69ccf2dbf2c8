import { type ClusterOptions, Redis } from 'ioredis';
import { eventually } from './eventually.ts';
import { type NatMap, natMapOf } from './nat-map.ts';
import { type RedisNode, startNode } from './node.ts';
import { ownBackend } from './redis.ts';
import type { Backend } from './run.ts';

/** Three masters that share the 16384 slots, without replicas. */
export type ClusterGroup = {
  readonly nodes: readonly RedisNode[];
  /** What `new Cluster(startupNodes, options)` needs. */
  readonly startupNodes: readonly { readonly host: string; readonly port: number }[];
  readonly options: ClusterOptions;
  /** From the addresses that the nodes tell to those that are reached from here; empty without containers. */
  readonly natMap: NatMap;
  stop(): Promise<void>;
};

const SLOTS = 16384;
const MASTERS = 3;
/** Long enough that a node which waits for a busy processor is not taken for dead. */
const NODE_TIMEOUT_MS = 5000;
const CONFIG =
  `--save  --appendonly yes --cluster-enabled yes --cluster-node-timeout ${NODE_TIMEOUT_MS}`.split(' ');

/** Starts a cluster that all its nodes call `ok`; of the run's backend, or of another (`announcingBackend`). */
export async function startCluster(backend: Backend = ownBackend()): Promise<ClusterGroup> {
  const nodes = await Promise.all(
    Array.from({ length: MASTERS }, () =>
      startNode(backend, {
        args: ({ port }) => ['--port', `${port}`, ...CONFIG],
      }),
    ),
  );
  const clients = nodes.map(({ host, port }) => new Redis({ host, port, enableReadyCheck: false }));
  const stop = async () => {
    await Promise.all(nodes.map((node) => node.stop()));
  };
  try {
    await form(nodes, clients);
  } catch (error) {
    await stop();
    throw error;
  } finally {
    for (const client of clients) client.disconnect();
  }
  return {
    nodes,
    startupNodes: nodes.map(({ host, port }) => ({ host, port })),
    get options() {
      return { natMap: natMapOf(nodes) };
    },
    get natMap() {
      return natMapOf(nodes);
    },
    stop,
  };
}

async function form(nodes: readonly RedisNode[], clients: readonly Redis[]): Promise<void> {
  for (const [index, client] of clients.entries()) {
    const from = Math.floor((index * SLOTS) / MASTERS);
    const to = Math.floor(((index + 1) * SLOTS) / MASTERS);
    // Nodes that meet with equal epochs settle that first, which takes seconds.
    await client.cluster('SET-CONFIG-EPOCH', index + 1);
    await client.cluster('ADDSLOTS', ...Array.from({ length: to - from }, (_, slot) => from + slot));
  }
  for (const node of nodes.slice(1)) {
    const { host, port } = node.announced();
    await clients[0]?.cluster('MEET', host, port);
  }
  await Promise.all(
    clients.map((client) =>
      eventually('the cluster is complete', async () => {
        const info = await client.cluster('INFO');
        return info.includes('cluster_state:ok') && info.includes(`cluster_known_nodes:${MASTERS}`);
      }),
    ),
  );
}
