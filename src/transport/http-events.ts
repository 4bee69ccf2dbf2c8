import type { OutgoingHttpHeaders } from 'node:http';
import { stringifySetCookie } from 'cookie';
import * as Either from 'fp-ts/lib/Either.js';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { NativeAccess } from '../auth/native-access.ts';
import type { NativeAuthenticated } from '../auth/native-authenticate.ts';
import { maySubscribe, type NativePrincipal, ownChannels } from '../auth/native-principal.ts';
import { streamCookieName } from '../auth/stream-cookie.ts';
import type { Decider, Peer, Verdict, Wish } from '../decider/decider.ts';
import type { RawJson } from '../protocol/native/client-frame.ts';
import { channelFault, isReservedChannel } from '../protocol/native/names.ts';
import { readJson } from '../protocol/json-members.ts';
import { parseSsePosition } from '../protocol/native/sse-position.ts';
import { retryMs } from '../protocol/native/sse-rules.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { ClientAddress } from './client-address.ts';
import type { ConnectLimit } from './connect-limit.ts';
import { connectRequest } from './connect-request.ts';
import { sendProblem } from './http-problem.ts';
import { route } from './http-route.ts';
import type { NativeStreams } from './native-streams.ts';
import { eventsOperation } from './openapi/events.ts';
import { refuseForNow } from './sse-response.ts';
import { whileThere } from './while-there.ts';

export interface EventsDeps {
  readonly access: NativeAccess;
  readonly streams: NativeStreams;
  readonly decider: Pick<Decider, 'connect' | 'subscribe' | 'disconnected'>;
  /** The most channels of one stream. */
  readonly maxChannels: number;
  /** Undefined: streams are opened. */
  unavailable(): 'draining' | 'not ready' | undefined;
  /** Whether there are as many sockets as may be. */
  isFull(): boolean;
  readonly connectLimit: ConnectLimit;
  readonly addressOf: ClientAddress;
  readonly metrics: Metrics;
  readonly newId: () => string;
  readonly random: () => number;
  /** Before the paths that browsers see. */
  readonly basePath: string;
  readonly onRefused: (refusal: { status: number; reason: string; address: string | undefined }) => void;
}

interface Asked {
  readonly wishes: readonly Wish[];
  /** What is asked of channels, as it came. */
  readonly queries: readonly (readonly [channel: string, text: unknown])[];
  readonly isFrames: boolean;
  readonly lastEventId: string | undefined;
}

/** Nobody may, or nobody may for now. */
type Refusal =
  | { readonly status: 400 | 401 | 403; readonly reason: string; readonly detail: string }
  | ForNow;
interface ForNow {
  readonly status: 200;
  readonly reason: string;
  readonly afterMs?: number;
}

/**
 * Adds `GET /events`: native channels as Server-Sent Events, merged in the order of their ids, with one cursor. What
 * cannot be had now is answered with a stream that ends, since an EventSource gives up at any status but 200.
 */
export function addEventsRoute(app: FastifyInstance, deps: EventsDeps): void {
  const { access, streams, decider } = deps;

  app.get('/events', route('stream', eventsOperation(deps.maxChannels)), async (request, reply) => {
    // What would wait for the answer to another request has no connection to write to, and may not get one.
    if (reply.raw.socket === null) return refuse(request, reply, BEHIND);
    const asked = askedOf(request);
    const early = refusedEarly(request, asked);
    if (early !== undefined) return refuse(request, reply, early);
    const target = { headers: request.headers, target: request.url };
    const authenticated = await access.authenticateStream(target);
    if (Either.isLeft(authenticated)) {
      const { status, reason } = authenticated.left;
      if (status === 503) return refuse(request, reply, { status: 200, reason });
      return refuse(request, reply, {
        status: 401,
        reason,
        detail: 'A valid token, ticket or cookie is needed.',
      });
    }
    const { principal } = authenticated.right;
    const id = deps.newId();
    const peer: Peer = { socket: id, principal };
    let isLetIn = false;
    const onLetIn = (): void => {
      isLetIn = true;
    };
    const late =
      (await refusedLate(request, authenticated.right)) ??
      (await refusedByApplication(request, peer, asked.wishes, onLetIn)) ??
      // Others may have come, of this user too, or a shutdown begun, while somebody was asked.
      refusedEarly(request, asked, true) ??
      refusedByLimit(principal);
    // Whoever went while somebody was asked would be there until it is pinged: its connection does not close again.
    const isGone = request.raw.socket.destroyed;
    const isHead = request.method === 'HEAD';
    // It gets no stream after all.
    if (isLetIn && (late !== undefined || isGone || isHead)) decider.disconnected?.(peer, 'gone');
    if (late !== undefined) return refuse(request, reply, late);
    const headers = reply.getHeaders() as OutgoingHttpHeaders;
    reply.hijack();
    if (isGone) return reply;
    if (isHead) {
      // Without a cookie: the ticket has not been used up, nor is it known that it was not used before.
      refuseForNow(reply.raw, headers, retryMs(deps.random));
      return reply;
    }
    const { wishes, isFrames, lastEventId } = asked;
    streams.open({
      id,
      principal,
      address: deps.addressOf(request.raw),
      wishes: wishes.length === 0 ? ownChannels(principal).map((channel) => ({ channel })) : wishes,
      form: isFrames ? 'frames' : 'events',
      position: lastEventId === undefined ? undefined : parseSsePosition(lastEventId),
      response: reply.raw,
      headers: { ...headers, ...cookieOf(request, authenticated.right) },
    });
    return reply;
  });

  /** What needs to ask nobody. */
  function refusedEarly(request: FastifyRequest, asked: Asked, isAgain = false): Refusal | undefined {
    const unavailable = deps.unavailable();
    if (unavailable !== undefined) return { status: 200, reason: unavailable };
    if (deps.isFull()) return { status: 200, reason: 'limit' };
    if (isAgain) return undefined;
    const afterMs = deps.connectLimit(request.raw);
    if (afterMs > 0) return { status: 200, reason: 'too many connects', afterMs };
    if (!access.isAllowedOrigin({ headers: request.headers, target: request.url })) {
      return { status: 403, reason: 'origin', detail: 'This may not be asked for from there.' };
    }
    const fault = faultOf(asked, deps.maxChannels);
    return fault === undefined ? undefined : { status: 400, reason: 'bad request', detail: fault };
  }

  function refusedByLimit(principal: NativePrincipal): Refusal | undefined {
    return streams.hasTooMany(principal) ? { status: 200, reason: 'limit' } : undefined;
  }

  async function refusedLate(
    request: FastifyRequest,
    { principal, ticket }: NativeAuthenticated,
  ): Promise<Refusal | undefined> {
    const reached = refusedByLimit(principal);
    if (reached !== undefined) return reached;
    if (ticket === undefined || request.method === 'HEAD') return undefined;
    const isFirst = await access.redeem(ticket).catch(() => undefined);
    if (isFirst === undefined) return { status: 200, reason: 'ticket not checked' };
    if (isFirst) return undefined;
    return { status: 401, reason: 'used ticket', detail: 'This ticket was used.' };
  }

  async function refusedByApplication(
    request: FastifyRequest,
    peer: Peer,
    wishes: readonly Wish[],
    onLetIn: () => void,
  ): Promise<Refusal | undefined> {
    const { connect, subscribe } = decider;
    const own = ownChannels(peer.principal);
    const others = wishes.filter(({ channel }) => !own.includes(channel));
    const forbidden = others.find(
      ({ channel }) =>
        isReservedChannel(channel) || (subscribe === undefined && !maySubscribe(peer.principal, channel)),
    );
    if (forbidden !== undefined) return notThisChannel(forbidden.channel);
    const refusal = await whileThere(request, async (signal) => {
      let verdict: Verdict = await connect?.call(decider, peer, connectRequest(request.raw), signal);
      if (connect !== undefined && verdict === undefined) onLetIn();
      if (subscribe === undefined) return verdict;
      for (const wish of others) verdict ??= await subscribe.call(decider, peer, wish, signal);
      return verdict;
    });
    if (refusal === undefined) return undefined;
    const { code, message } = refusal;
    const reason = `application: ${code}`;
    if (code === 'forbidden') {
      return { status: 403, reason, detail: message ?? 'The application does not allow this.' };
    }
    if (code === 'unauthorized') {
      return { status: 401, reason, detail: message ?? 'The application does not know you.' };
    }
    return { status: 200, reason };
  }

  function refuse(request: FastifyRequest, reply: FastifyReply, refusal: Refusal): FastifyReply {
    const { status, reason } = refusal;
    deps.metrics.count(reason === 'limit' ? 'ws_connection_rejected' : 'ws_upgrade_rejected');
    deps.onRefused({ status, reason, address: request.socket.remoteAddress });
    if (refusal.status !== 200) return sendProblem(reply, PROBLEM_OF[refusal.status], refusal.detail);
    const headers = reply.getHeaders() as OutgoingHttpHeaders;
    reply.hijack();
    refuseForNow(reply.raw, headers, Math.max(refusal.afterMs ?? 0, retryMs(deps.random)));
    return reply;
  }

  function cookieOf(request: FastifyRequest, { ticket }: NativeAuthenticated): OutgoingHttpHeaders {
    const value =
      ticket === undefined
        ? undefined
        : access.mintStreamToken(ticket, { headers: request.headers, target: request.url });
    if (ticket === undefined || value === undefined) return {};
    const isSecure = request.protocol === 'https' || request.headers['x-forwarded-proto'] === 'https';
    return {
      'set-cookie': stringifySetCookie({
        name: streamCookieName(access.cookieName),
        value,
        path: `${deps.basePath}/events`,
        httpOnly: true,
        sameSite: 'strict',
        secure: isSecure,
        expires: new Date(ticket.principal.expiresAtMs),
      }),
    };
  }
}

const PROBLEM_OF = { 400: 'bad_request', 401: 'unauthorized', 403: 'forbidden' } as const;

/** The query of one channel, as OpenAPI's `deepObject` writes it. */
const QUERY = /^query\[(.*)\]$/;

const BEHIND: Refusal = { status: 200, reason: 'behind another request' };

const notThisChannel = (channel: string): Refusal => ({
  status: 403,
  reason: 'forbidden',
  detail: `This token may not subscribe to ${channel}.`,
});

function askedOf({ query, headers }: FastifyRequest): Asked {
  const {
    channel = [],
    lastEventId,
    frames,
    ...others
  } = query as Readonly<Record<string, string | string[] | undefined>>;
  const header = headers['last-event-id'];
  // The header is what the browser heard last, the parameter what the page knew when it made the URL.
  const given = (header === undefined || header === '' ? lastEventId : header) ?? '';
  const queries = Object.entries(others).flatMap(([name, text]) => {
    const [, of] = QUERY.exec(name) ?? [];
    return of === undefined ? [] : [[of, text] as const];
  });
  const texts = new Map(queries);
  return {
    wishes: [...new Set([channel].flat())].map((name) => {
      const text = texts.get(name) as RawJson | undefined;
      return { channel: name, ...(text !== undefined && { query: text }) };
    }),
    queries,
    isFrames: frames === 'signalbox.v1',
    lastEventId: [given].flat()[0] || undefined,
  };
}

function faultOf({ wishes, queries, lastEventId }: Asked, maxChannels: number): string | undefined {
  const channels = wishes.map(({ channel }) => channel);
  if (channels.length > maxChannels) return `Expected at most ${maxChannels} channels.`;
  const wrong = channels.find(
    (channel) => !isReservedChannel(channel) && channelFault(channel) !== undefined,
  );
  if (wrong !== undefined) return `The channel ${JSON.stringify(wrong)}: ${channelFault(wrong)}.`;
  for (const [channel, text] of queries) {
    if (!channels.includes(channel)) {
      return `query[${channel}]: expected one of the channels that are asked for, ${JSON.stringify(channels)}.`;
    }
    if (typeof text !== 'string') return `query[${channel}]: expected once.`;
    const json = readJson(text);
    if (!json.ok) return `query[${channel}]: expected JSON; it is broken at position ${json.position}.`;
  }
  if (lastEventId !== undefined && parseSsePosition(lastEventId) === undefined) {
    return 'The last event id is none of this server: expected <epoch>.<ms>-<seq>, or <ms>-<seq>.';
  }
  return undefined;
}
