import { isUtf8 } from 'node:buffer';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { readJson } from '../protocol/json-members.ts';
import { channelFault, isChannel } from '../protocol/native/names.ts';
import { type FieldProblem, sendProblem } from './http-problem.ts';

/** A body that is JSON, and has what was expected. */
export interface JsonBody<T> {
  readonly value: T;
  /** The text as it came. */
  readonly bytes: Buffer;
}

/** Takes bodies as they are, and those of JSON only. */
export function takeJson(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) =>
    done(null, body),
  );
}

/** Reads a body; undefined: it has been refused. 400 with where it is broken, 422 with everything that is wrong. */
export function readBody<T>(
  request: FastifyRequest,
  reply: FastifyReply,
  schema: z.ZodType<T>,
): JsonBody<T> | undefined {
  const encoding = request.headers['content-encoding'] ?? 'identity';
  if (encoding.toLowerCase() !== 'identity') {
    const got = JSON.stringify(encoding);
    void sendProblem(
      reply,
      'unsupported_media_type',
      `Content-Encoding is ${got}: send the body uncompressed.`,
    );
    return undefined;
  }
  // Fastify leaves the body out when a request has none, whatever its type says.
  const bytes = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
  if (!isUtf8(bytes)) {
    void sendProblem(reply, 'bad_request', 'The body is not UTF-8.');
    return undefined;
  }
  const text = bytes.toString('utf8');
  const json = readJson(text);
  if (!json.ok) {
    const where = json.position < text.length ? `at position ${json.position}` : 'where it ends, too early';
    void sendProblem(reply, 'bad_request', `The body is not JSON: it is broken ${where}.`);
    return undefined;
  }
  const parsed = schema.safeParse(JSON.parse(text));
  if (parsed.success) return { value: parsed.data, bytes };
  void sendProblem(reply, 'invalid', undefined, parsed.error.issues.map(fieldProblem));
  return undefined;
}

/** A name with whatever is wrong with it. */
export const nameBy = (faultOf: (name: string) => string | undefined) =>
  z.string().superRefine((name, { addIssue }) => {
    const message = faultOf(name);
    if (message !== undefined) addIssue({ code: 'custom', message });
  });

/** One that clients name, or the own one of a user or session: whoever has a key may use these. */
export const anyChannel = nameBy((name) =>
  isChannel(name) ? undefined : (channelFault(name) ?? 'expected user: or session: and an encoded id'),
);

/** Any JSON value, so that all that can be wrong with it is that it is not there. */
export const anyJson = z.unknown().refine((data) => data !== undefined, 'expected a JSON value');

function fieldProblem(issue: {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}): FieldProblem {
  return { path: issue.path.map((key) => (typeof key === 'symbol' ? '' : key)), message: issue.message };
}
