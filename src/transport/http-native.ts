import * as Either from 'fp-ts/lib/Either.js';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { AuthError } from '../auth/auth-error.ts';
import type { NativeAccess } from '../auth/native-access.ts';
import { maySubscribe, type NativePrincipal, ownChannels } from '../auth/native-principal.ts';
import { parseStreamId, type StreamId } from '../event/stream-id.ts';
import { TokenBucket } from '../protocol/native/token-bucket.ts';
import { PROBLEMS, sendProblem } from './http-problem.ts';

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

export interface NativeHttpDeps {
  readonly access: NativeAccess;
  readonly now: () => number;
  /** `after` undefined: from its beginning. Rejects when the broker is away. */
  history(channel: string, after: StreamId | undefined, limit: number): Promise<History>;
}

const MAX_LIMIT = 1_000;
const DEFAULT_LIMIT = 100;
/** Tickets of one user. */
const TICKETS = { perSecond: 1, burst: 20 };
/** Users whose tickets are counted; the one that was counted longest ago is forgotten first. */
const MAX_COUNTED = 10_000;

/** Adds `POST /ticket` and `GET /history`, for clients of the native protocol. */
export function addNativeRoutes(app: FastifyInstance, deps: NativeHttpDeps): void {
  const { access, now } = deps;
  const tickets = new Map<string, TokenBucket>();

  app.post('/ticket', async (request, reply) => {
    setPrivate(reply);
    // A page of another site can make a browser send its cookie, but neither this type nor a token.
    const hasToken = request.headers.authorization !== undefined;
    if (!hasToken && !isJson(request)) return sendProblem(reply, 'unsupported_media_type');
    const principal = await principalOf(request, reply);
    if (principal === undefined) return reply;
    const retryAfterMs = bucketOf(principal.user).take();
    if (retryAfterMs > 0) {
      reply.header('Retry-After', Math.ceil(retryAfterMs / 1000));
      return sendProblem(reply, 'rate_limited');
    }
    const minted = access.mint(principal);
    if (Either.isLeft(minted)) {
      const isTicket = minted.left.reason === 'from_ticket';
      return sendProblem(reply, 'forbidden', isTicket ? OF_TICKET : UNSIGNED);
    }
    const { ticket, expiresAtMs } = minted.right;
    return reply.code(201).send({ ticket, expiresAt: expiresAtMs });
  });

  app.get('/history', async (request, reply) => {
    setPrivate(reply);
    const { channel = '', after, limit = `${DEFAULT_LIMIT}` } = request.query as HistoryQuery;
    const position = typeof after === 'string' ? parseStreamId(after) : undefined;
    const count = /^\d{1,4}$/.test(String(limit)) ? Number(limit) : 0;
    const isPosition = after === undefined || position !== undefined;
    if (typeof channel !== 'string' || !isPosition || count < 1 || count > MAX_LIMIT) {
      return sendProblem(reply, 'bad_request', HISTORY_FORM);
    }
    const principal = await principalOf(request, reply);
    if (principal === undefined) return reply;
    if (!maySubscribe(principal, channel) && !ownChannels(principal).includes(channel)) {
      return sendProblem(reply, 'forbidden', 'This token may not subscribe to this channel.');
    }
    try {
      const { events, next, gap, epoch } = await deps.history(channel, position, count);
      const rest = JSON.stringify({ next, gap: gap ?? null, epoch });
      return reply
        .type('application/json; charset=utf-8')
        .send(`{"events":[${events.join()}],${rest.slice(1)}`);
    } catch {
      return sendProblem(reply, 'unavailable', 'The broker cannot be reached.');
    }
  });

  /** Who asks; undefined: it has been refused. */
  async function principalOf(
    { headers, url }: FastifyRequest,
    reply: FastifyReply,
  ): Promise<NativePrincipal | undefined> {
    const request = { headers, target: url };
    if (!access.isAllowedOrigin(request)) {
      void sendProblem(reply, 'forbidden', 'This may not be asked for from there.');
      return undefined;
    }
    const authenticated = await access.authenticate(request);
    if (Either.isLeft(authenticated)) {
      const problem = problemOfAuth(authenticated.left);
      void sendProblem(reply, problem, problem === 'unauthorized' ? 'A valid token is needed.' : NOT_KNOWN);
      return undefined;
    }
    const { principal, ticket } = authenticated.right;
    if (ticket === undefined) return principal;
    const isFirst = await access.redeem(ticket).catch(() => undefined);
    if (isFirst === true) return principal;
    if (isFirst === undefined) void sendProblem(reply, 'unavailable', 'The broker cannot be reached.');
    else void sendProblem(reply, 'unauthorized', 'This ticket was used.');
    return undefined;
  }

  function bucketOf(user: string): TokenBucket {
    const bucket = tickets.get(user) ?? new TokenBucket({ ...TICKETS, now });
    tickets.delete(user);
    tickets.set(user, bucket);
    for (const oldest of tickets.keys()) {
      if (tickets.size <= MAX_COUNTED) break;
      tickets.delete(oldest);
    }
    return bucket;
  }
}

type HistoryQuery = Readonly<Partial<Record<'channel' | 'after' | 'limit', unknown>>>;

const OF_TICKET = 'No ticket is given for a ticket.';
const NOT_KNOWN = 'The broker has not been reached yet: nobody can say whether this token was revoked.';
const UNSIGNED = 'This server has a public key, so that it can sign no tickets.';
const HISTORY_FORM = `Expected ?channel=<name>, after=<id> and limit=<1 to ${MAX_LIMIT}>, the last two optional.`;

/** A token that may have been revoked, nobody can say, is no bad one. */
export function problemOfAuth({ status }: AuthError): 'unauthorized' | 'unavailable' {
  return status === PROBLEMS.unavailable.status ? 'unavailable' : 'unauthorized';
}

export function isJson(request: FastifyRequest): boolean {
  return /^application\/json\s*(?:;|$)/i.test(request.headers['content-type'] ?? '');
}

/** What depends on who asks is kept by nobody in between. */
function setPrivate(reply: FastifyReply): void {
  reply.header('Cache-Control', 'private, no-store');
  reply.header('Vary', 'Accept, Origin, Cookie, Authorization');
}
