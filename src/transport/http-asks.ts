import type { FastifyInstance, FastifyReply } from 'fastify';
import { z } from 'zod';
import type { NativePrincipal } from '../auth/native-principal.ts';
import type { After } from '../clock.ts';
import {
  type Answer,
  type Decider,
  isRefusal,
  type Peer,
  type Refusal,
  type Saying,
} from '../decider/decider.ts';
import { memberText } from '../protocol/json-text.ts';
import type { RawJson } from '../protocol/native/client-frame.ts';
import { ERRORS, type ErrorCode } from '../protocol/native/error-codes.ts';
import { TOPIC_FORM, topicFault } from '../protocol/native/names.ts';
import { anyJson, type JsonBody, nameBy, readBody, takeJson } from './http-json.ts';
import { isJson } from './http-native.ts';
import type { PrincipalOf } from './http-principal.ts';
import { type ProblemCode, ROOM_AFTER_MS, sendProblem, sendTooMany } from './http-problem.ts';
import { route } from './http-route.ts';
import { askOperation } from './openapi/asks.ts';

/** What a client says to the application: the body of `POST /ask`, and of its `POST /tell`. */
export const sayingBody = z.strictObject({
  topic: nameBy(topicFault).meta({ description: `${TOPIC_FORM}.` }),
  data: anyJson.optional().meta({ description: 'Any JSON, passed on byte for byte.' }),
});

export interface HttpAsksDeps {
  readonly decider: Pick<Decider, 'ask' | 'tell'>;
  /** `limits.asksInFlight`: here of one user. */
  readonly asksInFlight: number;
  readonly askTimeoutMs: number;
  readonly after: After;
  /** A name that no socket has. */
  readonly newId: () => string;
}

/** What clients ask and tell the application over HTTP. */
export interface HttpAsks {
  ask(principal: NativePrincipal, body: JsonBody<{ topic: string }>, reply: FastifyReply): Promise<unknown>;
  tell(principal: NativePrincipal, body: JsonBody<{ topic: string }>, reply: FastifyReply): Promise<unknown>;
}

export function createHttpAsks(deps: HttpAsksDeps): HttpAsks {
  const { decider, asksInFlight, askTimeoutMs, after, newId } = deps;
  const underWay = new Map<string, number>();

  /** Undefined: it has been refused, or nobody waits for it any more. */
  async function answerOf<T extends object>(
    principal: NativePrincipal,
    reply: FastifyReply,
    request: (peer: Peer, signal: AbortSignal) => Promise<T | Refusal | undefined>,
  ): Promise<{ readonly answer: T | undefined } | undefined> {
    const { user } = principal;
    const count = underWay.get(user) ?? 0;
    if (count >= asksInFlight) {
      void sendTooMany(reply, ROOM_AFTER_MS);
      return undefined;
    }
    underWay.set(user, count + 1);
    const peer = { socket: newId(), principal };
    const gone = new AbortController();
    const abort = (): void => gone.abort();
    reply.raw.once('close', abort);
    let cancel = (): void => {};
    const late = new Promise<Refusal>((resolve) => {
      cancel = after(askTimeoutMs, () => resolve({ code: 'timeout' }));
      gone.signal.addEventListener('abort', () => resolve({ code: 'timeout' }), { once: true });
    });
    const answer = await Promise.race([request(peer, gone.signal), late]);
    cancel();
    const isGone = gone.signal.aborted;
    reply.raw.off('close', abort);
    gone.abort();
    const left = (underWay.get(user) ?? 1) - 1;
    if (left === 0) underWay.delete(user);
    else underWay.set(user, left);
    if (isGone) {
      reply.hijack();
      return undefined;
    }
    if (answer !== undefined && isRefusal(answer as Refusal | Answer)) {
      sendRefusal(reply, answer as Refusal);
      return undefined;
    }
    return { answer: answer as T | undefined };
  }

  const noHandler = (reply: FastifyReply, topic: string): FastifyReply =>
    sendProblem(reply, 'no_handler', `Nobody here answers ${topic}.`);

  return {
    async ask(principal, body, reply) {
      const { ask } = decider;
      const saying = sayingOf(body);
      if (ask === undefined) return noHandler(reply, saying.topic);
      const done = await answerOf<Answer>(principal, reply, (peer, signal) =>
        ask.call(decider, peer, saying, signal),
      );
      if (done?.answer === undefined) return reply;
      return reply.type('application/json; charset=utf-8').send(`{"data":${done.answer.data}}`);
    },
    async tell(principal, body, reply) {
      const { tell } = decider;
      const saying = sayingOf(body);
      if (tell === undefined) return noHandler(reply, saying.topic);
      const done = await answerOf(principal, reply, (peer, signal) =>
        tell.call(decider, peer, saying, signal),
      );
      return done === undefined ? reply : reply.send({ status: 'ok' });
    },
  };
}

/** Adds `POST /ask`, which the application answers. */
export function addAskRoute(
  app: FastifyInstance,
  deps: { readonly asks: HttpAsks; readonly principalOf: PrincipalOf; readonly maxBodyBytes: number },
): void {
  takeJson(app);
  const options = { ...route('cookie', askOperation(sayingBody)), bodyLimit: deps.maxBodyBytes };
  const principals = new WeakMap<object, NativePrincipal>();
  const onRequest: NonNullable<Parameters<typeof app.post>[1]['onRequest']> = async (request, reply) => {
    // A page of another site can make a browser send its cookie, but not this type.
    if (!isJson(request)) return sendProblem(reply, 'unsupported_media_type');
    const principal = await deps.principalOf(request, reply);
    if (principal === undefined) return reply;
    principals.set(request, principal);
    return undefined;
  };
  app.post('/ask', { ...options, onRequest }, async (request, reply) => {
    const body = readBody(request, reply, sayingBody);
    if (body === undefined) return reply;
    return deps.asks.ask(principals.get(request) as NativePrincipal, body, reply);
  });
}

const sayingOf = ({ value, bytes }: JsonBody<{ topic: string }>): Saying => ({
  topic: value.topic,
  data: memberText(bytes, 'data')?.toString() as RawJson | undefined,
});

/** What a refusal of the application is over HTTP. */
const PROBLEM_OF: Readonly<Record<ErrorCode, ProblemCode>> = {
  bad_request: 'bad_request',
  unknown_type: 'bad_request',
  unauthorized: 'unauthorized',
  forbidden: 'forbidden',
  already_subscribed: 'bad_request',
  not_subscribed: 'bad_request',
  too_many: 'rate_limited',
  too_large: 'too_large',
  rate_limited: 'rate_limited',
  no_handler: 'no_handler',
  timeout: 'timeout',
  unavailable: 'unavailable',
  internal: 'internal',
};

function sendRefusal(reply: FastifyReply, { code, message = ERRORS[code].sentence }: Refusal): void {
  const problem = PROBLEM_OF[code];
  if (problem === 'rate_limited') void sendTooMany(reply, ROOM_AFTER_MS, message);
  else void sendProblem(reply, problem, message);
}
