import { randomBytes } from 'node:crypto';
import type { Redis } from 'ioredis';
import { isReply } from './connection.ts';

/** Refusals that will be the same next time: the user may not, or the server does not know the command. */
const NOT_GIVEN = /^(NOPERM|ERR unknown command)/;
const REPLICATION_ID = /^master_replid:([0-9a-f]{16})/m;

/**
 * Reads the epoch of a server's data: a random value that is kept in it, and the server's replication id.
 *
 * The value is gone when the data is; the id is another after a promotion, where the last entries that the old
 * master took may be gone although the value is not, and after a restart, for the same reason.
 *
 * A user who may not SET and GET the value, or not ask for INFO, is told so once, and that half stays empty: the
 * old sidecar needed neither, and a start must not fail for it.
 */
export class Epoch {
  readonly #key: string;
  readonly #onNote: (message: string) => void;
  readonly #refused = new Set<string>();

  constructor(key: string, onNote: (message: string) => void) {
    this.#key = key;
    this.#onNote = onNote;
  }

  async read(client: Redis): Promise<string> {
    const [value, replicationId] = await Promise.all([
      this.#ask('value', 'GET and SET of the epoch key, so lost data is noticed by its last id only', () =>
        this.#value(client),
      ),
      this.#ask(
        'replication id',
        'INFO, so the promotion of another server is not noticed',
        async () => REPLICATION_ID.exec(await client.info('replication'))?.[1] ?? '',
      ),
    ]);
    return [value, replicationId].filter((half) => half !== '').join(':');
  }

  async #value(client: Redis): Promise<string> {
    const value = await client.get(this.#key);
    if (value !== null) return value;
    const fresh = randomBytes(8).toString('hex');
    // Another instance may have been faster.
    await client.set(this.#key, fresh, 'NX');
    return (await client.get(this.#key)) ?? fresh;
  }

  async #ask(half: string, what: string, ask: () => Promise<string>): Promise<string> {
    if (this.#refused.has(half)) return '';
    try {
      return await ask();
    } catch (error) {
      if (!isReply(error) || !NOT_GIVEN.test(error.message)) throw error;
      if (!this.#refused.has(half)) this.#onNote(`Redis refuses ${what} (${error.message})`);
      this.#refused.add(half);
      return '';
    }
  }
}
