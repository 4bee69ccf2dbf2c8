import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Logger } from 'pino';
import { z } from 'zod';
import type { RawJson } from '../protocol/native/client-frame.ts';
import { memberText } from '../protocol/json-text.ts';
import { channelFault, isChannel, isPrincipalId, topicFault } from '../protocol/native/names.ts';
import type { Target } from '../protocol/native/sessions.ts';
import { createApiKeyCheck } from './http-api-key.ts';
import { anyJson, nameBy, readBody, takeJson } from './http-json.ts';
import { isSameOrigin } from './http-loopback.ts';
import { isJson } from './http-native.ts';
import { sendProblem } from './http-problem.ts';

/** What reaches the sockets of every instance. */
export interface Control {
  /** Resolves once the broker has it; rejects when that is not known. */
  tell(target: Target, topic: string, data?: RawJson): Promise<void>;
  /** Rejects when the broker is not known to have it. */
  end(
    target: Target,
    word?: string,
  ): Promise<{ readonly closed: number; readonly unconfirmed: readonly string[] }>;
}

export interface ControlDeps {
  readonly control: Control;
  readonly logger: Logger;
  readonly mode: 'development' | 'production';
  readonly apiKeys: readonly string[];
  readonly maxBodyBytes: number;
}

/**
 * Bytes of what is told. Some ten thousand messages are kept for instances that are reconnecting: what is larger is
 * published, and there it is kept by its age.
 */
const MAX_DATA_BYTES = 65_536;

const principalId = z
  .string()
  .refine(isPrincipalId, 'expected 1 to 128 bytes without control characters')
  .optional();
const WHO = {
  user: principalId,
  session: principalId,
  socket: z
    .string()
    .regex(/^[!-~]{1,128}$/, 'expected the name of a socket, as welcome gives it')
    .optional(),
  channel: nameBy((name) =>
    isChannel(name) ? undefined : (channelFault(name) ?? 'expected user: or session: and an encoded id'),
  ).optional(),
};
const everyone = z.literal(true).optional();

/** With exactly one of these names. */
const withOne = <Shape extends z.ZodRawShape>(shape: Shape, names: readonly (keyof Shape & string)[]) =>
  z.strictObject(shape).check(({ value, issues }) => {
    const given = names.filter((name) => (value as Readonly<Record<string, unknown>>)[name] !== undefined);
    if (given.length === 1) return;
    const message = `expected exactly one of ${names.join(', ')}`;
    issues.push({ code: 'custom', input: value, path: [], message });
  });

const tell = withOne({ ...WHO, everyone, topic: nameBy(topicFault), data: anyJson.optional() }, [
  'user',
  'session',
  'socket',
  'channel',
  'everyone',
]);
const disconnect = withOne(
  {
    ...WHO,
    reason: z
      .string()
      .regex(/^[ -~]{1,123}$/, 'expected 1 to 123 printable ASCII characters')
      .optional(),
  },
  ['user', 'session', 'socket', 'channel'],
);

/**
 * Adds `POST /tell`, answered once the broker has it, and `POST /disconnect`, answered once the living instances have
 * answered or had time to. Who asks has an API key; in development mode it may be this machine's own page. A cookie or
 * a token is never enough: these are done to others.
 */
export function addControlRoutes(app: FastifyInstance, deps: ControlDeps): void {
  const { control, mode } = deps;
  const hasApiKey = createApiKeyCheck(deps.apiKeys);
  const options = { bodyLimit: deps.maxBodyBytes };
  let isFailing = false;
  takeJson(app);
  app.addHook('onRequest', async (request, reply) => {
    reply.header('Cache-Control', 'private, no-store');
    const { authorization } = request.headers;
    if (mode === 'development' && !isSameOrigin(request.headers)) {
      return sendProblem(reply, 'forbidden', 'Development mode takes a POST from its own page only.');
    }
    const isAllowed = authorization === undefined ? mode === 'development' : hasApiKey(authorization);
    if (!isAllowed) return sendProblem(reply, 'unauthorized', NEEDS_KEY);
    if (!isJson(request)) return sendProblem(reply, 'unsupported_media_type');
    return undefined;
  });

  app.post('/tell', options, async (request, reply) => {
    const body = readBody(request, reply, tell);
    if (body === undefined) return reply;
    const data = memberText(body.bytes, 'data')?.toString() as RawJson | undefined;
    if (data !== undefined && Buffer.byteLength(data) > MAX_DATA_BYTES) {
      return sendProblem(reply, 'too_large', `What is told is at most ${MAX_DATA_BYTES} bytes: publish it.`);
    }
    const done = await orUnavailable(reply, control.tell(targetOf(body.value), body.value.topic, data));
    return done === undefined ? reply : reply.code(202).send({ status: 'ok' });
  });

  app.post('/disconnect', options, async (request, reply) => {
    const body = readBody(request, reply, disconnect);
    if (body === undefined) return reply;
    const done = await orUnavailable(reply, control.end(targetOf(body.value), body.value.reason));
    return done === undefined ? reply : reply.send(done.answer);
  });

  /** Undefined: it has been refused. */
  async function orUnavailable<Answer>(
    reply: FastifyReply,
    asked: Promise<Answer>,
  ): Promise<{ readonly answer: Answer } | undefined> {
    try {
      const answer = await asked;
      if (isFailing) deps.logger.info('control messages are confirmed again');
      isFailing = false;
      return { answer };
    } catch (error) {
      if (!isFailing) deps.logger.warn({ err: error }, 'a control message was not confirmed; answering 503');
      isFailing = true;
      void sendProblem(reply, 'unavailable', NOT_CONFIRMED);
      return undefined;
    }
  }
}

const NEEDS_KEY = 'An API key is needed: Authorization: Bearer <key>.';
const NOT_CONFIRMED =
  'The broker did not confirm it. It is not known whether this was done: it may be repeated.';

type Who = z.infer<typeof tell> | z.infer<typeof disconnect>;

function targetOf(who: Who): Target {
  const { user, session, socket, channel } = who;
  if (user !== undefined) return { user };
  if (session !== undefined) return { session };
  if (socket !== undefined) return { socket };
  return channel === undefined ? { everyone: true } : { channel };
}
