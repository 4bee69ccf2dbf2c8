import * as Either from 'fp-ts/lib/Either.js';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { NativeAccess } from '../auth/native-access.ts';
import { maySubscribe, type NativePrincipal, ownChannels } from '../auth/native-principal.ts';
import type { Decider } from '../decider/decider.ts';
import { parseStreamId, type StreamId } from '../event/stream-id.ts';
import type { ErrorCode } from '../protocol/native/error-codes.ts';
import { channelFault, isChannel, isClientChannel } from '../protocol/native/names.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { OutageLog } from '../telemetry/outage-log.ts';
import type { HttpAsksDeps } from './http-asks.ts';
import { type ProblemCode, ROOM_AFTER_MS, sendProblem, sendTooMany } from './http-problem.ts';
import type { PrincipalOf } from './http-principal.ts';
import { route } from './http-route.ts';
import { historyOperation, ticketOperation } from './openapi/clients.ts';
import { RateLimit } from './rate-limit.ts';
import { whileThere } from './while-there.ts';

/** A part of a channel's history, as it is answered. */
export interface History {
  /** The JSON text of each event. */
  readonly events: readonly string[];
  /** Where the next part begins. */
  readonly next: StreamId;
  /** Events in `(after, id]` are gone. */
  readonly gap: { readonly after: StreamId; readonly id: StreamId; readonly reason: 'trimmed' } | undefined;
  readonly epoch: string;
}

export interface NativeHttpDeps extends Omit<HttpAsksDeps, 'decider'> {
  readonly access: NativeAccess;
  readonly now: () => number;
  /** The application. */
  readonly decider: Pick<Decider, 'subscribe' | 'ask' | 'tell'>;
  /** `after` undefined: from its beginning. Rejects when the broker is away. */
  history(channel: string, after: StreamId | undefined, limit: number): Promise<History>;
}

const MAX_LIMIT = 1_000;
const DEFAULT_LIMIT = 100;
/** Tickets of one user. */
const TICKETS = { perSecond: 1, burst: 20 };

/** Adds `POST /ticket` and `GET /history`, for clients of the native protocol. */
export function addNativeRoutes(
  app: FastifyInstance,
  deps: NativeHttpDeps & {
    readonly principalOf: PrincipalOf;
    readonly metrics: Metrics;
    readonly logger: Logger;
  },
): void {
  const { access, now, principalOf, metrics } = deps;
  const outages = new OutageLog(deps.logger, {
    fails: 'history cannot be read; answering 503',
    works: 'history can be read again',
  });
  const tickets = new RateLimit({ ...TICKETS, now });

  app.post('/ticket', route('cookie', ticketOperation), async (request, reply) => {
    // A page of another site can make a browser send its cookie, but neither this type nor a token.
    const hasToken = request.headers.authorization !== undefined;
    if (!hasToken && !isJson(request)) return sendProblem(reply, 'unsupported_media_type');
    const principal = await principalOf(request, reply);
    if (principal === undefined) return reply;
    const waitMs = tickets.take(principal.user);
    if (waitMs > 0) {
      metrics.count('signalbox.rate_limited', 1, { reason: 'tickets' });
      return sendTooMany(reply, waitMs);
    }
    const minted = access.mint(principal);
    if (Either.isLeft(minted)) {
      const isTicket = minted.left.reason === 'from_ticket';
      return sendProblem(reply, 'forbidden', isTicket ? OF_TICKET : UNSIGNED);
    }
    const { ticket, expiresAtMs } = minted.right;
    return reply.code(201).send({ ticket, expiresAt: expiresAtMs });
  });

  app.get('/history', route('cookie', historyOperation(MAX_LIMIT, DEFAULT_LIMIT)), async (request, reply) => {
    const { channel = '', after, limit = `${DEFAULT_LIMIT}` } = request.query as HistoryQuery;
    const position = typeof after === 'string' ? parseStreamId(after) : undefined;
    const count = /^\d{1,4}$/.test(String(limit)) ? Number(limit) : 0;
    const isPosition = after === undefined || position !== undefined;
    if (typeof channel !== 'string' || !isPosition || count < 1 || count > MAX_LIMIT) {
      return sendProblem(reply, 'bad_request', HISTORY_FORM);
    }
    if (!isChannel(channel)) return sendProblem(reply, 'bad_request', noChannel(channel));
    const principal = await principalOf(request, reply);
    if (principal === undefined) return reply;
    const refused = await refusalOf(request, principal, channel);
    if (refused?.[0] === 'rate_limited') return sendTooMany(reply, ROOM_AFTER_MS, refused[1]);
    if (refused !== undefined) return sendProblem(reply, ...refused);
    try {
      const { events, next, gap, epoch } = await deps.history(channel, position, count);
      outages.worked();
      const rest = JSON.stringify({ next, gap: gap ?? null, epoch });
      return reply
        .type('application/json; charset=utf-8')
        .send(`{"events":[${events.join()}],${rest.slice(1)}`);
    } catch (error) {
      outages.failed(error);
      return sendProblem(reply, 'unavailable', 'The broker cannot be reached.');
    }
  });

  /** What `subscribe` needs this needs, too: who decides about the one decides about the other. */
  async function refusalOf(
    request: FastifyRequest,
    principal: NativePrincipal,
    channel: string,
  ): Promise<readonly [ProblemCode, string] | undefined> {
    if (ownChannels(principal).includes(channel)) return undefined;
    const { decider } = deps;
    const { subscribe } = decider;
    if (subscribe === undefined) return maySubscribe(principal, channel) ? undefined : NOT_THIS_CHANNEL;
    if (!isClientChannel(channel)) return NOT_THIS_CHANNEL;
    // There is no socket: an id that is nobody's.
    const peer = { socket: deps.newId(), principal };
    const verdict = await whileThere(request, (signal) => subscribe.call(decider, peer, { channel }, signal));
    return verdict && [PROBLEM_OF[verdict.code] ?? 'unavailable', verdict.message ?? BY_APPLICATION];
  }
}

const NOT_THIS_CHANNEL = ['forbidden', 'This token may not subscribe to this channel.'] as const;
const BY_APPLICATION = 'The application does not allow this, or not now.';
/** What an application says of a subscription; anything else may be otherwise later. */
const PROBLEM_OF: Readonly<Partial<Record<ErrorCode, ProblemCode>>> = {
  forbidden: 'forbidden',
  unauthorized: 'unauthorized',
  rate_limited: 'rate_limited',
  internal: 'internal',
};

type HistoryQuery = Readonly<Partial<Record<'channel' | 'after' | 'limit', unknown>>>;

const OF_TICKET = 'No ticket is given for a ticket.';
const UNSIGNED = 'This server has no jwtSecret, or a public key: it can sign no tickets.';
const HISTORY_FORM = `Expected ?channel=<name>, after=<id> and limit=<1 to ${MAX_LIMIT}>, the last two optional.`;

const noChannel = (name: string): string =>
  `?channel= is ${JSON.stringify(name)}: ${channelFault(name) ?? 'expected an encoded id after user: or session:'}.`;

export function isJson(request: FastifyRequest): boolean {
  return /^application\/json\s*(?:;|$)/i.test(request.headers['content-type'] ?? '');
}
