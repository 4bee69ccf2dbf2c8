import type { RedisNode } from './node.ts';
import { hasLocalRedis, ownBackend } from './redis.ts';
import type { Backend } from './run.ts';

/** ioredis's map from the addresses that nodes tell to those that are reached from here. */
export type NatMap = Record<string, { host: string; port: number }>;

/** The map for these nodes as they are addressed now; empty where both addresses are the same. */
export function natMapOf(nodes: readonly RedisNode[]): NatMap {
  const map: NatMap = {};
  for (const { host, port, announced } of nodes) {
    const inner = announced();
    if (inner.host !== host || inner.port !== port) map[`${inner.host}:${inner.port}`] = { host, port };
  }
  return map;
}

/**
 * The backend for groups of servers that a whole Signalbox is led through by the addresses they announce.
 *
 * Processes of this machine announce what they are reached by. Containers do not, and a Signalbox has no setting
 * like a natMap, so they are taken only where there is no `redis-server`: on Linux their addresses can be reached.
 */
export async function announcingBackend(): Promise<Backend> {
  return (await hasLocalRedis()) ? 'local' : ownBackend();
}
