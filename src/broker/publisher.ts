import type { StreamId } from '../event/stream-id.ts';
import { BrokerError } from './broker-error.ts';
import type { NativeLog, Outcome, Publication } from './ports.ts';

/** Publishes to native channels, each event once, also where an answer is lost. */
export interface Publisher {
  /** Rejects as `publishAll` does, and with what was wrong with this event alone. */
  publish(publication: Publication): Promise<StreamId>;
  /**
   * As `NativeLog.publishEvents`. It rejects with a `BrokerError` of any code but `unavailable` when it is not known
   * what was written, and trying again is safe under the same key only; with `unavailable`, or what the server
   * said, when nothing was.
   */
  publishAll(publications: readonly Publication[]): Promise<readonly Outcome[]>;
}

/**
 * Makes the publisher of a native log. Every event gets a key, the caller's or one of `newKey`, which must give
 * what nobody else gives; so when the answer to a publish is lost, it is asked for once more.
 *
 * Once, and at once: the new connection is made by that call. Where it cannot be made the broker is away, and
 * waiting for it is the caller's affair. Such a repeat may come after what was published later than it.
 */
export function createPublisher(log: Pick<NativeLog, 'publishEvents'>, newKey: () => string): Publisher {
  async function publishAll(publications: readonly Publication[]): Promise<readonly Outcome[]> {
    const keyed = publications.map((one) => (one.key === undefined ? { ...one, key: newKey() } : one));
    try {
      return await log.publishEvents(keyed);
    } catch (error) {
      if (!isOutcomeUnknown(error)) throw error;
      return await log.publishEvents(keyed).catch((again: unknown) => {
        // Whatever this one says, it says nothing of the first: it may still be done, or have been.
        const why = again instanceof Error ? again.message : String(again);
        throw new BrokerError(error.code, `${error.message}; and asking again: ${why}`, error);
      });
    }
  }

  return {
    publishAll,
    async publish(publication) {
      const [outcome] = await publishAll([publication]);
      if (outcome === undefined) throw new Error('the log answered nothing');
      if ('error' in outcome) throw outcome.error;
      return outcome.id;
    },
  };
}

/**
 * Whether an error leaves open what was published. `closed`, too: a connection is also closed under those who use it,
 * when it turns out to lead to the wrong server.
 */
export function isOutcomeUnknown(error: unknown): error is BrokerError {
  return error instanceof BrokerError && error.code !== 'unavailable';
}
