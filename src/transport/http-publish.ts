import { isUtf8 } from 'node:buffer';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { StreamId } from '../event/stream-id.ts';
import { readJson } from '../protocol/json-members.ts';
import { channelFault, topicFault } from '../protocol/native/names.ts';
import { type FieldProblem, sendProblem } from './http-problem.ts';

export interface PublishDeps {
  /** Resolves once the broker has the event; rejects when that is not known. */
  publish(channel: string, payload: Buffer): Promise<StreamId>;
  readonly maxBodyBytes: number;
  /** Told of each outcome, so that an outage is logged when it begins and when it ends, not at each request. */
  onOutcome(error: unknown): void;
}

/** A name with whatever is wrong with it. */
const nameBy = (faultOf: (name: string) => string | undefined) =>
  z.string().superRefine((name, { addIssue }) => {
    const message = faultOf(name);
    if (message !== undefined) addIssue({ code: 'custom', message });
  });

/** `data` may be any JSON value, so all that can be wrong with it is that it is not there. */
const publication = z.strictObject({
  channel: nameBy(channelFault),
  topic: nameBy(topicFault).optional(),
  data: z.unknown().refine((data) => data !== undefined, 'expected a JSON value'),
});

/**
 * Adds `POST /publish {"channel", "topic"?, "data"}`, answered with 201 `{"id"}` once the broker has the event.
 * Refused: 400 not JSON, 413 too large, 415 another type, 422 wrong fields, 503 broker away. Whoever may publish
 * is decided before, by hooks of `app`.
 */
export function addPublishRoute(app: FastifyInstance, deps: PublishDeps): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) =>
    done(null, body),
  );

  app.post('/publish', { bodyLimit: deps.maxBodyBytes }, async (request, reply) => {
    reply.header('Cache-Control', 'private, no-store');
    // Fastify leaves the body out when a request has none, whatever its type says.
    const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
    if (!isUtf8(body)) return sendProblem(reply, 'bad_request', 'The body is not UTF-8.');
    const text = body.toString('utf8');
    const json = readJson(text);
    if (!json.ok) {
      const where = json.position < text.length ? `at position ${json.position}` : 'where it ends, too early';
      return sendProblem(reply, 'bad_request', `The body is not JSON: it is broken ${where}.`);
    }
    const parsed = publication.safeParse(JSON.parse(text));
    if (!parsed.success)
      return sendProblem(reply, 'invalid', undefined, parsed.error.issues.map(fieldProblem));

    const { channel, topic } = parsed.data;
    let id: StreamId;
    try {
      id = await deps.publish(channel, payloadOf(channel, topic, json.members.get('data') ?? 'null'));
    } catch (error) {
      deps.onOutcome(error);
      return sendProblem(reply, 'unavailable');
    }
    deps.onOutcome(undefined);
    return reply.code(201).send({ id });
  });
}

/** The payload with `data` exactly as it was sent: numbers beyond 2^53 and the order of keys survive. */
function payloadOf(channel: string, topic: string | undefined, data: string): Buffer {
  const head = topic === undefined ? '' : `"topic":${JSON.stringify(topic)},`;
  return Buffer.from(`{"channel_id":${JSON.stringify(channel)},${head}"data":${data}}`);
}

function fieldProblem(issue: {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}): FieldProblem {
  return { path: issue.path.map((key) => (typeof key === 'symbol' ? '' : key)), message: issue.message };
}
