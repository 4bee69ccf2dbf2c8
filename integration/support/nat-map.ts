import type { RedisNode } from './node.ts';

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
