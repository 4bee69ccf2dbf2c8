import type { Revocation, Revocations } from '../ports.ts';
import type { Keys } from './keys.ts';
import type { Link } from './link.ts';

/** Of one command: other clients of the server wait meanwhile. */
const PART = 1_000;
/** Ids have no control characters. */
const SEPARATOR = '\n';

/** Revocations as one sorted set: a key for each would have to be scanned for among all the others. */
export class RedisRevocations implements Revocations {
  readonly #link: Link;
  readonly #keys: Keys;

  constructor(link: Link, keys: Keys) {
    this.#link = link;
    this.#keys = keys;
  }

  async add(revocations: readonly Revocation[], ttlMs: number): Promise<void> {
    for (let at = 0; at < revocations.length; at += PART) {
      const part = revocations.slice(at, at + PART);
      const pairs = part.flatMap(({ of, id, atMs }) => [atMs, `${of}${SEPARATOR}${id}`]);
      await this.#link.run((client) => client.signalboxRevoke(this.#keys.revoked, ttlMs, ...pairs));
    }
  }

  /** By ZSCAN, which gives whatever is there from the beginning to the end; the rest may come twice or not at all. */
  async all(): Promise<readonly Revocation[]> {
    const found = new Map<string, Revocation>();
    let cursor = '0';
    do {
      const from = cursor;
      const [next, pairs] = await this.#link.run((client) =>
        client.zscan(this.#keys.revoked, from, 'COUNT', PART),
      );
      for (let at = 0; at + 1 < pairs.length; at += 2) {
        const name = pairs[at] as string;
        const revocation = revocationOf(name, Number(pairs[at + 1]));
        if (revocation !== undefined) found.set(name, revocation);
      }
      cursor = next;
    } while (cursor !== '0');
    return [...found.values()];
  }

  /** The link is the broker's, which closes it. */
  async close(): Promise<void> {}
}

/** Undefined for what no instance of ours has written. */
function revocationOf(name: string, atMs: number): Revocation | undefined {
  const end = name.indexOf(SEPARATOR);
  const of = name.slice(0, end);
  return of === 'user' || of === 'session' ? { of, id: name.slice(end + 1), atMs } : undefined;
}
