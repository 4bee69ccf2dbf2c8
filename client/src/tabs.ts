import { connect as connectAlone } from './client.ts';
import type { Connection, ConnectOptions } from './connection.ts';
import { type BroadcastChannelConstructor, host, type Locks } from './host.ts';
import { Tab } from './tabs/tab.ts';

export interface TabsOptions extends ConnectOptions {
  /** Tabs with the same one share a connection; left out: the URL. Whoever signs in as another user needs another. */
  readonly name?: string;
  /** Left out: those of the browser. */
  readonly locks?: Locks;
  readonly BroadcastChannel?: BroadcastChannelConstructor;
}

/**
 * As `connect` of `@signalbox/client`, with one connection for all tabs of an origin. One of them has it and serves the
 * others; when it is closed another takes over. Where the browser cannot do that, each tab has its own.
 */
export function connect(url: string, options: TabsOptions = {}): Connection {
  const locks = options.locks ?? host.navigator?.locks;
  const BroadcastChannel = options.BroadcastChannel ?? host.BroadcastChannel;
  if (locks === undefined || BroadcastChannel === undefined) return connectAlone(url, options);
  try {
    return new Tab(url, options, locks, BroadcastChannel).connection;
  } catch {
    // A page that may keep nothing may have no BroadcastChannel either.
    return connectAlone(url, options);
  }
}
