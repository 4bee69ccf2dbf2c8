import type { Once } from '../ports.ts';
import type { Keys } from './keys.ts';
import type { Link } from './link.ts';

/** Claims as keys that run out. */
export class RedisOnce implements Once {
  readonly #link: Link;
  readonly #keys: Keys;

  constructor(link: Link, keys: Keys) {
    this.#link = link;
    this.#keys = keys;
  }

  async claim(key: string, ttlMs: number): Promise<boolean> {
    const answer = await this.#link.run((client) =>
      client.set(this.#keys.claim(key), '1', 'PX', Math.ceil(ttlMs), 'NX'),
    );
    return answer === 'OK';
  }

  /** The link is the broker's, which closes it. */
  async close(): Promise<void> {}
}
