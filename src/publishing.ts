import type { EventLog, NativeLog, Publication } from './broker/ports.ts';
import { createPublisher, isOutcomeUnknown } from './broker/publisher.ts';
import type { ClientPublication, PublishAnswer } from './protocol/native/session.ts';
import type { LogLimit } from './telemetry/log-limit.ts';
import type { Logger } from './telemetry/logger.ts';
import type { Tracing } from './telemetry/tracing.ts';
import type { HttpOutcome } from './transport/http-publish.ts';

export interface PublishingDeps {
  readonly log: NativeLog;
  readonly logger: Logger;
  readonly limit: LogLimit;
  readonly tracing: Tracing;
  /** A key that nobody else gives. */
  readonly newKey: () => string;
  /**
   * Superset's log, where what is published over HTTP is to be heard by its clients as well: in development mode, so
   * that the first page, which is one, hears what it publishes. Undefined: nowhere.
   */
  readonly mirror: Pick<EventLog, 'append'> | undefined;
}

/** Publishes what clients and HTTP bring to native channels. */
export interface Publishing {
  /** For a client, which is told whether it is known what became of its event. Never rejects. */
  forClient(publication: ClientPublication): Promise<PublishAnswer>;
  /** In this order. Rejects when the broker did not answer for them. */
  forHttp(publications: readonly Publication[]): Promise<readonly HttpOutcome[]>;
  /** Whether an error of `forHttp` leaves open what was published. */
  isUnknown(error: unknown): boolean;
}

export function createPublishing(deps: PublishingDeps): Publishing {
  const { log, logger, limit, tracing, newKey, mirror } = deps;
  const publisher = createPublisher(log, newKey);
  const publishAll = (publications: readonly Publication[]) =>
    tracing.publish(publications, (traced) => publisher.publishAll(traced));

  return {
    async forClient(publication) {
      try {
        const [outcome] = await publishAll([publication]);
        if (outcome === undefined) throw new Error('the log answered nothing');
        if ('error' in outcome) throw outcome.error;
        return { id: outcome.id };
      } catch (error) {
        limit.log('publish failed', (suppressed) =>
          logger.warn({ err: error, suppressed }, 'A client could not publish'),
        );
        return { refused: isOutcomeUnknown(error) ? 'timeout' : 'unavailable' };
      }
    },
    async forHttp(publications) {
      const outcomes = await publishAll(publications);
      if (mirror === undefined) return outcomes;
      const mirrored: HttpOutcome[] = [];
      for (const [at, outcome] of outcomes.entries()) {
        const publication = publications[at] as Publication;
        if ('error' in outcome) mirrored.push(outcome);
        else {
          const supersetId = await mirror.append(publication.channel, supersetPayload(publication));
          mirrored.push({ ...outcome, supersetId });
        }
      }
      return mirrored;
    },
    isUnknown: isOutcomeUnknown,
  };
}

/** As Superset would have published it. */
function supersetPayload({ channel, topic, data }: Publication): Buffer {
  const head = topic === undefined ? '' : `"topic":${JSON.stringify(topic)},`;
  return Buffer.from(`{"channel_id":${JSON.stringify(channel)},${head}"data":${data}}`);
}
