import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Actors } from '../actors/actors.ts';
import type { NativePrincipal } from '../auth/native-principal.ts';
import { parseSsePosition } from '../protocol/native/sse-position.ts';
import { retryMs } from '../protocol/native/sse-rules.ts';
import { queryParameter } from '../protocol/request-target.ts';
import { isListed } from '../routes/channel-rules.ts';
import type { Route, Routes } from '../routes/routes.ts';
import type { Logger } from '../telemetry/logger.ts';
import { corsHeaders } from './cors.ts';
import { sendProblem } from './http-problem.ts';
import type { PrincipalOf } from './http-principal.ts';
import { isEventStream, refuseForNow, STREAM_HEADERS } from './sse-response.ts';

/** A stream that is to be opened. */
export interface RouteStream {
  readonly actors: Actors;
  readonly channels: readonly string[];
  /** Of native channels: where the client, or the application, says that it begins. */
  readonly lastEventId?: string;
  /** Beside, or in the place of, those of every stream. */
  readonly headers?: OutgoingHttpHeaders;
  /** Sent before anything else. */
  readonly prelude?: Buffer;
  /** Whose it is; left out: anybody's. */
  readonly principal?: NativePrincipal;
  /** How long its credential lasts; left out: it has none. */
  readonly lifetimeMs?: number;
  /** Nothing may be sent that is not a message: no retry, no comment. */
  readonly isRaw: boolean;
  /** What the application wants to be said again and again. */
  readonly keepAlive?: { readonly content: Buffer; readonly afterMs: number };
  /** An answer of the application that is given where there is no stream for now. */
  readonly fallback?: Buffer;
}

/** Answers a request with a stream, or that there is none for now; the response is its own from here on. */
export type OpenRouteStream = (
  request: IncomingMessage,
  response: ServerResponse,
  stream: RouteStream,
) => void;

/** What an application named for a stream. */
export interface GovernedStream {
  readonly channels: readonly string[];
  readonly lastEventId?: string;
  readonly headers: OutgoingHttpHeaders;
  readonly prelude: Buffer;
  readonly keepAlive?: NonNullable<RouteStream['keepAlive']>;
  readonly fallback?: Buffer;
}

/** Asks the application behind a route; it answers the request itself, or has `open` do so. */
export type AskUpstream = (
  request: IncomingMessage,
  response: ServerResponse,
  route: Route,
  open: (stream: GovernedStream) => void,
) => Promise<void>;

export interface StreamRoutesDeps {
  readonly routes: Routes;
  /** The actors of what a route's streams are of. */
  readonly actorsOf: (route: Route) => Actors;
  readonly openStream: OpenRouteStream;
  readonly askUpstream: AskUpstream;
  readonly principalOf: PrincipalOf;
  readonly random: () => number;
  readonly now: () => number;
  readonly allowedOrigins: readonly string[];
  readonly logger: Logger;
}

/** The routes of the configuration, for what no path of this server's own takes. */
export interface StreamRoutes {
  /** Says in the log who may read what; `ownPaths`: those that no route gets, by no method. */
  begin(ownPaths: Iterable<string>): void;
  /** Answers a request that one of them is for; false: none is. */
  serve(request: FastifyRequest, reply: FastifyReply): Promise<boolean>;
}

const METHODS = ['GET', 'HEAD', 'OPTIONS'];
const NOT_THIS_CHANNEL = 'This token may not subscribe to this channel.';
const NO_POSITION = 'The last event id is none of this server: expected <epoch>.<ms>-<seq>, or <ms>-<seq>.';
const NO_CHANNEL = 'This path is for no channel that may be read here.';

/** Makes what answers requests by the routes of the configuration. */
export function createStreamRoutes(deps: StreamRoutesDeps): StreamRoutes {
  const { routes, logger } = deps;
  let own: ReadonlySet<string> = new Set();

  async function serveChannel(
    route: Route,
    { channel, fault }: { readonly channel: string; readonly fault: string | undefined },
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<void> {
    const { auth, contentType } = route.settings;
    const access = auth === undefined ? 'bearer' : 'cookie';
    const { origin } = request.headers;
    const isPreflight = request.method === 'OPTIONS';
    const shared = corsHeaders(
      { origin, access, ...(isPreflight && { preflight: METHODS }) },
      deps.allowedOrigins,
    );
    reply.headers({ Vary: 'Accept, Origin, Cookie, Authorization', ...shared });
    if (isPreflight) return void reply.code(204).header('Allow', METHODS.join(', ')).send();
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      reply.header('Allow', METHODS.join(', '));
      return void sendProblem(reply, 'method_not_allowed', `Expected ${METHODS.join(', ')}.`);
    }
    const headersOf = () => ({ ...lowerCase(reply.getHeaders()), 'content-type': contentType });
    // An EventSource gives up for ever at any other status.
    const later = (waitMs: number): void => {
      const headers = headersOf();
      reply.hijack();
      refuseForNow(reply.raw, headers, Math.max(waitMs, retryMs(deps.random)));
    };
    const isForEventSource = isEventStream({ 'content-type': contentType });
    const principal =
      auth === undefined
        ? undefined
        : await deps.principalOf(request, reply, isForEventSource ? later : undefined);
    if (auth !== undefined) {
      if (principal === undefined) return;
      // As everywhere, a name says nothing of who may read it: the token does.
      if (!isListed(principal.channels, channel))
        return void sendProblem(reply, 'forbidden', NOT_THIS_CHANNEL);
    }
    if (fault !== undefined) {
      logger.debug({ route: route.settings.path, fault }, 'A route gives no such channel');
      return void sendProblem(reply, 'forbidden', NO_CHANNEL);
    }
    const lastEventId = lastEventIdOf(request);
    if (isNoPosition(route, lastEventId)) return void sendProblem(reply, 'bad_request', NO_POSITION);
    if (request.method === 'HEAD') return void reply.headers(STREAM_HEADERS).type(contentType).send();
    const headers = headersOf();
    reply.hijack();
    deps.openStream(request.raw, reply.raw, {
      ...streamOf(route, [channel], lastEventId),
      headers,
      ...ownerOf(principal),
    });
  }

  async function askUpstream(route: Route, request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const { auth } = route.settings;
    const principal = auth === undefined ? undefined : await deps.principalOf(request, reply);
    if (auth !== undefined && principal === undefined) return;
    reply.hijack();
    const open = ({ channels, lastEventId, headers, prelude, keepAlive, fallback }: GovernedStream): void =>
      deps.openStream(request.raw, reply.raw, {
        // The client's own is for what the application does not say.
        ...streamOf(route, channels, lastEventId ?? lastEventIdOf(request)),
        headers,
        prelude,
        ...(keepAlive !== undefined && { keepAlive }),
        ...(fallback !== undefined && { fallback }),
        ...ownerOf(principal),
      });
    try {
      await deps.askUpstream(request.raw, reply.raw, route, open);
    } catch (error) {
      logger.error({ err: error, route: route.settings.path }, 'A stream could not be opened: this is a bug');
      reply.raw.destroy();
    }
  }

  function ownerOf(principal: NativePrincipal | undefined): Pick<RouteStream, 'principal' | 'lifetimeMs'> {
    if (principal === undefined) return {};
    return { principal, lifetimeMs: principal.expiresAtMs - deps.now() };
  }

  function streamOf(route: Route, channels: readonly string[], lastEventId: string | undefined) {
    const { source, format } = route.settings;
    // Ids of Pub/Sub messages are known to this process alone.
    const isResumable = source === 'native' && lastEventId !== undefined;
    return {
      actors: deps.actorsOf(route),
      channels,
      isRaw: format === 'raw',
      ...(isResumable && { lastEventId }),
    };
  }

  return {
    begin(ownPaths) {
      own = new Set(ownPaths);
      const publicRoutes = routes.all
        .filter(({ settings }) => settings.auth === undefined && settings.upstream === '')
        .map(({ settings }) => `${settings.path} ${settings.channel}`);
      if (publicRoutes.length > 0) logger.info({ routes: publicRoutes }, 'Routes that anybody may read');
      const pathsOf = new Map<string, string[]>();
      for (const path of own) {
        const route = routes.find(path)?.route.settings.path;
        if (route !== undefined) pathsOf.set(route, [...(pathsOf.get(route) ?? []), path]);
      }
      for (const [route, paths] of pathsOf) {
        logger.warn({ route, paths }, "A route does not get these paths, which are this server's own");
      }
    },
    async serve(request, reply) {
      const target = request.raw.url ?? '';
      const match = own.has(target.split('?', 1)[0] as string) ? undefined : routes.find(target);
      if (match === undefined) return false;
      const { route, channel, fault } = match;
      if (channel === undefined) await askUpstream(route, request, reply);
      else await serveChannel(route, { channel, fault }, request, reply);
      return true;
    },
  };
}

/** What the client heard last: the header is a browser's that comes back, the parameter what a page knew. */
function lastEventIdOf({ headers, raw }: FastifyRequest): string | undefined {
  const header = headers['last-event-id'];
  const given = header === undefined || header === '' ? queryParameter(raw.url ?? '', 'lastEventId') : header;
  return [given].flat()[0] || undefined;
}

/** Whoever said it would miss something if his stream began now, and nobody would know. */
function isNoPosition({ settings }: Route, lastEventId: string | undefined): boolean {
  return settings.source === 'native' && lastEventId !== undefined && !parseSsePosition(lastEventId);
}

function lowerCase(headers: ReturnType<FastifyReply['getHeaders']>): OutgoingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
