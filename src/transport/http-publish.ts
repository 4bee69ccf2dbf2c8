import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { StreamId } from '../event/stream-id.ts';
import { elementTexts, memberText } from '../protocol/json-text.ts';
import { DEFAULT_TOPIC, userChannel } from '../protocol/native/names.ts';
import type { OutageLog } from '../telemetry/outage-log.ts';
import { readBody } from './http-json.ts';
import { sendProblem } from './http-problem.ts';
import { route } from './http-route.ts';
import { messageOperation, publishOperation } from './openapi/publishing.ts';
import { message, publication } from './publish-body.ts';

/** An event that came over HTTP. */
export interface HttpPublication {
  readonly channel: string;
  readonly topic?: string | undefined;
  /** JSON, byte for byte as it came. */
  readonly data: Buffer;
  readonly key?: string | undefined;
  readonly snapshot?: boolean | undefined;
  /** The header of its request, whatever it says. */
  readonly traceparent?: string | undefined;
}

/** What became of one of them. */
export type HttpOutcome =
  | {
      readonly id: StreamId;
      /** Under which Superset's clients hear it too, where they do: its ids are another log's. */
      readonly supersetId?: StreamId;
    }
  | { readonly error: Error };

/** Who publishes, as its request said before its body was read. */
export interface HttpPublisher {
  /** Its keys are its own: two of these never meet. */
  readonly keyScope: string;
  mayPublish(channel: string): boolean;
}

export interface PublishDeps {
  /** Publishes in this order; rejects when the broker did not answer for them. */
  publish(publications: readonly HttpPublication[]): Promise<readonly HttpOutcome[]>;
  /** Whether an error of `publish` leaves open what was published. */
  isUnknown(error: unknown): boolean;
  /** Who it is that was let in. */
  publisherOf(request: FastifyRequest): HttpPublisher;
  readonly maxBodyBytes: number;
  readonly maxBatch: number;
  readonly outages: OutageLog;
}

type Fields = z.infer<typeof publication>;

/**
 * Adds `POST /publish`, of one event or of a list, answered once the broker has them, and `POST /message`, to one
 * user. Refused: 400 not JSON, 403 not this channel, 413 too large, 415 another type, 422 wrong fields, 503 broker
 * away. Whoever may publish is decided before, by hooks of `app`.
 */
export function addPublishRoutes(app: FastifyInstance, deps: PublishDeps): void {
  const list = z.array(publication).min(1).max(deps.maxBatch);
  const bodyLimit = deps.maxBodyBytes;
  const toPublish = { ...route('bearer', publishOperation(deps.maxBatch)), bodyLimit };
  const toMessage = { ...route('bearer', messageOperation), bodyLimit };

  app.post('/publish', toPublish, async (request, reply) => {
    const isList = isArrayText(request.body);
    const body = readBody<Fields | Fields[]>(request, reply, isList ? list : publication);
    if (body === undefined) return reply;
    const publisher = deps.publisherOf(request);
    const texts = isList ? elementTexts(body.bytes) : [body.bytes];
    const all = [body.value].flat();
    const refused = all.find(({ channel }) => !publisher.mayPublish(channel));
    if (refused !== undefined) {
      return sendProblem(reply, 'forbidden', `This token may not publish to ${refused.channel}.`);
    }
    const outcomes = await publishAll(
      reply,
      all.map((fields, at) => ({
        ...publicationOf(fields, texts[at] as Buffer, publisher),
        traceparent: traceparentIn(request),
      })),
    );
    if (outcomes === undefined) return reply;
    return isList ? answerList(reply, outcomes) : answerOne(reply, outcomes[0], 201, {});
  });

  app.post('/message', toMessage, async (request, reply) => {
    const body = readBody(request, reply, message);
    if (body === undefined) return reply;
    const channel = userChannel(body.value.username);
    if (!deps.publisherOf(request).mayPublish(channel)) {
      return sendProblem(reply, 'forbidden', 'A message to a user is sent with an API key.');
    }
    const data = Buffer.from(memberText(body.bytes, 'content') ?? 'null');
    const traceparent = traceparentIn(request);
    const outcomes = await publishAll(reply, [{ channel, topic: DEFAULT_TOPIC, data, traceparent }]);
    return outcomes === undefined ? reply : answerOne(reply, outcomes[0], 200, { status: 'ok' });
  });

  async function publishAll(
    reply: FastifyReply,
    publications: readonly HttpPublication[],
  ): Promise<readonly HttpOutcome[] | undefined> {
    try {
      const outcomes = await deps.publish(publications);
      deps.outages.worked();
      return outcomes;
    } catch (error) {
      deps.outages.failed(error);
      void sendProblem(reply, 'unavailable', deps.isUnknown(error) ? UNKNOWN : undefined);
      return undefined;
    }
  }

  function answerOne(
    reply: FastifyReply,
    outcome: HttpOutcome | undefined,
    status: number,
    more: object,
  ): FastifyReply {
    if (outcome !== undefined && 'id' in outcome) return reply.code(status).send({ ...more, ...outcome });
    deps.outages.failed(outcome?.error);
    return sendProblem(reply, 'unavailable');
  }
}

const UNKNOWN =
  'The broker did not answer in time. It is not known whether this was published: repeat it with the same key.';

function answerList(reply: FastifyReply, outcomes: readonly HttpOutcome[]): FastifyReply {
  const answers = outcomes.map((outcome) =>
    'id' in outcome ? outcome : { code: 'unavailable', message: 'The broker refused this one.' },
  );
  return reply.code(outcomes.every((outcome) => 'id' in outcome) ? 201 : 207).send(answers);
}

/** With `data` exactly as it was sent: numbers beyond 2^53 and the order of keys survive. */
function publicationOf(
  { channel, topic, key, snapshot }: Fields,
  text: Buffer,
  { keyScope }: HttpPublisher,
): HttpPublication {
  return {
    channel,
    topic,
    // Copied: a slice would keep the whole body.
    data: Buffer.from(memberText(text, 'data') ?? 'null'),
    key: key === undefined ? undefined : `${keyScope}\n${channel}\n${key}`,
    snapshot,
  };
}

function traceparentIn({ headers }: FastifyRequest): string | undefined {
  const { traceparent } = headers;
  return typeof traceparent === 'string' ? traceparent : undefined;
}

function isArrayText(body: unknown): boolean {
  return Buffer.isBuffer(body) && /^[ \t\n\r]*\[/.test(body.toString('latin1', 0, 100));
}
