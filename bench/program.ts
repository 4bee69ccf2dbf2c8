import type { DialectName } from './dialects.ts';

/** Where a server runs: what it may be told at its start. */
export interface Place {
  readonly port: number;
  /** Its own, and removed afterwards. */
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  /** Node's arguments, for what runs in Node. */
  readonly nodeArguments: readonly string[];
}

/** A server that can be measured: how it is started, fed and spoken to. */
export interface Program {
  readonly dialect: DialectName;
  /** Where it takes events from. */
  readonly inlet: 'redis' | 'http';
  /** Runs in Node: collects garbage when asked, and can be profiled. */
  readonly isNode: boolean;
  command(place: Place): Promise<[command: string, args: string[]]>;
}
