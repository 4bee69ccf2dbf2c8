import { Cluster } from 'ioredis';
import type { HostAndPort } from './address.ts';

type NatMap = Readonly<Record<string, HostAndPort>>;
type Redirect = (slot: string, address: string) => void;

/**
 * A Cluster client that follows redirections through `natMap`.
 *
 * ioredis maps the addresses of CLUSTER SLOTS, but takes that of a MOVED or ASK as the server says it: into the
 * table of slots, and for a whole range of them at once. No connection is known under it, so that commands go to
 * any node until the next refresh and end in "Too many Cluster redirections".
 */
export class MappedCluster extends Cluster {
  override handleError(
    error: Error,
    ttl: { value?: number },
    handlers: { readonly moved: Redirect; readonly ask: Redirect },
  ): void {
    const mapped =
      (redirect: Redirect): Redirect =>
      (slot, address) =>
        redirect(slot, this.#reached(address));
    super.handleError(error, ttl, {
      ...handlers,
      moved: mapped(handlers.moved),
      ask: mapped(handlers.ask),
    });
  }

  #reached(address: string): string {
    const mapped = (this.options.natMap as NatMap | undefined)?.[address];
    return mapped === undefined ? address : `${mapped.host}:${mapped.port}`;
  }
}
