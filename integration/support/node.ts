import { startContainerNode } from './container-node.ts';
import { startLocalNode } from './local-node.ts';
import type { Backend } from './run.ts';

/** Where a node's own files are, and the port it must listen on, as the node itself sees them. */
export type Place = { readonly folder: string; readonly port: number };

/** What to start: one `redis-server`, in whatever role its arguments give it. */
export type NodeSpec = {
  /** The arguments of `redis-server`; the first may be a configuration file. */
  readonly args: (place: Place) => readonly string[];
  /** Files that must be there before it first starts: name to content. */
  readonly files?: (place: Place) => Readonly<Record<string, string>>;
  readonly tls?: boolean;
  /** Also listen on a unix socket in the node's folder, under this name. */
  readonly unixSocket?: string;
};

/** One running `redis-server` that a test may harm. */
export type RedisNode = {
  /** Reached from the test: always loopback or the container engine's host. */
  readonly host: string;
  readonly port: number;
  /** The path of the unix socket, where the specification asked for one. */
  readonly path: string | undefined;
  /** Reached from the other nodes; it differs from host and port in containers, and may change with a restart. */
  readonly announced: () => { readonly host: string; readonly port: number };
  /** SIGKILL: no shutdown, no last save. Resolves when the process is gone. */
  kill(): Promise<void>;
  /** Starts it again on the same port, after a kill if it still runs; resolves when it answers. */
  restart(how: { readonly keepData: boolean }): Promise<void>;
  /** Freezes the process: its connections stay open and nothing answers. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Ends it for good and removes what it wrote. */
  stop(): Promise<void>;
};

export function startNode(backend: Backend, spec: NodeSpec): Promise<RedisNode> {
  return backend === 'docker' ? startContainerNode(spec) : startLocalNode(spec);
}
