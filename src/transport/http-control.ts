import * as Either from 'fp-ts/lib/Either.js';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { RawJson } from '../protocol/native/client-frame.ts';
import { memberText } from '../protocol/json-text.ts';
import { MAX_TOLD_BYTES } from '../instances/control-message.ts';
import type { Target } from '../protocol/native/target.ts';
import type { NativeAccess } from '../auth/native-access.ts';
import { credentialOf } from '../auth/native-credential.ts';
import type { NativePrincipal } from '../auth/native-principal.ts';
import type { Logger } from '../telemetry/logger.ts';
import { OutageLog } from '../telemetry/outage-log.ts';
import { disconnectBody, hasTarget, targetOf, tellBody } from './control-body.ts';
import { createApiKeyCheck } from './http-api-key.ts';
import { type HttpAsks, sayingBody } from './http-asks.ts';
import { readBody, takeJson } from './http-json.ts';
import { isSameOrigin } from './http-loopback.ts';
import { isJson } from './http-native.ts';
import type { HttpLimit } from './http-limit.ts';
import type { PrincipalOf } from './http-principal.ts';
import { sendProblem } from './http-problem.ts';
import { route } from './http-route.ts';
import { disconnectOperation, tellOperation } from './openapi/control.ts';

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
  readonly isKeyless: boolean;
  readonly maxBodyBytes: number;
  readonly access: Pick<NativeAccess, 'authenticate' | 'cookieName'>;
  readonly limit: HttpLimit;
  readonly principalOf: PrincipalOf;
  readonly asks: HttpAsks;
}

/**
 * Adds `POST /tell`, answered once the broker has it, and `POST /disconnect`, answered once the living instances have
 * answered or had time to. Who asks has an API key; in development mode it may be this machine's own page. A cookie or
 * a token is never enough: these are done to others. What a client may do is tell the application, which is nobody else.
 */
export function addControlRoutes(app: FastifyInstance, deps: ControlDeps): void {
  const { control, mode, isKeyless, access, limit: isWithin, asks, principalOf } = deps;
  /** Of clients, who tell the application. */
  const principals = new WeakMap<object, NativePrincipal>();
  const hasApiKey = createApiKeyCheck(deps.apiKeys);
  const options = { bodyLimit: deps.maxBodyBytes };
  const outages = new OutageLog(deps.logger, {
    fails: 'a control message was not confirmed; answering 503',
    works: 'control messages are confirmed again',
  });
  takeJson(app);
  app.addHook('onRequest', async (request, reply) => {
    reply.header('Cache-Control', 'private, no-store');
    const { authorization } = request.headers;
    if (mode === 'development' && !isSameOrigin(request.headers)) {
      return sendProblem(reply, 'forbidden', 'Development mode takes a POST from its own page only.');
    }
    const isAllowed = authorization === undefined ? isKeyless : hasApiKey(authorization);
    const isClient = !isAllowed && request.routeOptions.url === '/tell';
    if (!isAllowed && !isClient) {
      if (!isWithin(request, reply)) return reply;
      const found = await access.authenticate({ headers: { authorization }, target: '/' });
      return sendProblem(reply, Either.isRight(found) ? 'forbidden' : 'unauthorized', NEEDS_KEY);
    }
    if (!isJson(request)) return sendProblem(reply, 'unsupported_media_type');
    return isClient && !(await isKnown(request, reply)) ? reply : undefined;
  });

  const tellOptions = { ...options, ...route('cookie', tellOperation(sayingBody)) };
  app.post('/tell', tellOptions, async (request, reply) => {
    if (principals.has(request)) return tellApplication(request, reply);
    // In development mode a page needs no key, but may be a client, too.
    const isClient = request.headers.authorization === undefined && !hasTarget(request.body);
    if (isClient && isPresented(request)) {
      return (await isKnown(request, reply)) ? tellApplication(request, reply) : reply;
    }
    const body = readBody(request, reply, tellBody);
    if (body === undefined) return reply;
    const data = memberText(body.bytes, 'data')?.toString() as RawJson | undefined;
    if (data !== undefined && Buffer.byteLength(data) > MAX_TOLD_BYTES) {
      return sendProblem(reply, 'too_large', `What is told is at most ${MAX_TOLD_BYTES} bytes: publish it.`);
    }
    const done = await orUnavailable(reply, control.tell(targetOf(body.value), body.value.topic, data));
    return done === undefined ? reply : reply.code(202).send({ status: 'ok' });
  });

  app.post('/disconnect', { ...options, ...route('bearer', disconnectOperation) }, async (request, reply) => {
    const body = readBody(request, reply, disconnectBody);
    if (body === undefined) return reply;
    const done = await orUnavailable(reply, control.end(targetOf(body.value), body.value.reason));
    return done === undefined ? reply : reply.send(done.answer);
  });

  /** Notes who it is; false: it has been refused. */
  async function isKnown(request: FastifyRequest, reply: FastifyReply): Promise<boolean> {
    const principal = await principalOf(request, reply);
    if (principal !== undefined) principals.set(request, principal);
    return principal !== undefined;
  }

  async function tellApplication(request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
    if (hasTarget(request.body)) return sendProblem(reply, 'forbidden', NEEDS_KEY);
    const body = readBody(request, reply, sayingBody);
    return body === undefined ? reply : asks.tell(principals.get(request) as NativePrincipal, body, reply);
  }

  /** Whether there is a credential of a client beside the header. */
  const isPresented = ({ headers, url }: FastifyRequest): boolean =>
    credentialOf({ headers, target: url }, access.cookieName) !== undefined;

  /** Undefined: it has been refused. */
  async function orUnavailable<Answer>(
    reply: FastifyReply,
    asked: Promise<Answer>,
  ): Promise<{ readonly answer: Answer } | undefined> {
    try {
      const answer = await asked;
      outages.worked();
      return { answer };
    } catch (error) {
      outages.failed(error);
      void sendProblem(reply, 'unavailable', NOT_CONFIRMED);
      return undefined;
    }
  }
}

const NEEDS_KEY = 'An API key is needed: Authorization: Bearer <key>.';
const NOT_CONFIRMED =
  'The broker did not confirm it. It is not known whether this was done: it may be repeated.';
