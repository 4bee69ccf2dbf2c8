import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import * as Either from 'fp-ts/lib/Either.js';
import type { NativeAuthenticated } from '../auth/native-authenticate.ts';
import { mayPublish, type NativePrincipal } from '../auth/native-principal.ts';
import { queryParameter } from '../protocol/request-target.ts';
import { addControlRoutes, type Control } from './http-control.ts';
import { addEventsRoute, type EventsDeps } from './http-events.ts';
import { createApiKeyCheck } from './http-api-key.ts';
import { addAskRoute, createHttpAsks } from './http-asks.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { OutageLog } from '../telemetry/outage-log.ts';
import { createClientAddress } from './client-address.ts';
import { createHttpLimit, type HttpLimit } from './http-limit.ts';
import { isLoopbackHost, isSameOrigin } from './http-loopback.ts';
import { addOptions, refuseMethod, setSharing } from './http-methods.ts';
import { type ProblemCode, problemOf, sendProblem } from './http-problem.ts';
import { takeJson } from './http-json.ts';
import { addNativeRoutes, isJson, type NativeHttpDeps } from './http-native.ts';
import { createPrincipalOf, problemOfAuth } from './http-principal.ts';
import { addPublishRoutes, type HttpPublisher, type PublishDeps } from './http-publish.ts';
import { gatherRoutes, type Routes, route } from './http-route.ts';
import { refuseTarget, refuseUnreadable } from './http-unreadable.ts';
import { openApiDocument } from './openapi/document.ts';
import { documentOperation } from './openapi/page.ts';
import { healthOperation, readyOperation } from './openapi/probes.ts';
import { addFrontPage, addPageRoutes, type PageDeps } from './page.ts';
import { checkTarget } from './request-target.ts';
import type { StreamRoutes, StreamRoutesDeps } from './stream-routes.ts';

export interface HttpDeps {
  readonly logger: Logger;
  readonly mode: 'development' | 'production';
  /** What `/ready` answers. */
  isReady(): boolean;
  /** Publishes in this order; rejects when the broker did not answer for them, which is 503. */
  readonly publish: PublishDeps['publish'];
  readonly isUnknown: PublishDeps['isUnknown'];
  readonly native: NativeHttpDeps;
  readonly control: Control;
  readonly events: EventsDeps;
  /** Whoever presents one of these may publish. */
  readonly apiKeys: readonly string[];
  /** Whether this machine's own pages may do so without one: there is nobody else to do it. */
  readonly isKeyless: boolean;
  /** Bytes; a longer body is refused with 413. */
  readonly maxBodyBytes: number;
  /** The most events of one request. */
  readonly maxBatch: number;
  readonly trustProxy: boolean;
  /** Whose pages are told that they may use what needs a credential. */
  readonly allowedOrigins: readonly string[];
  readonly limits: {
    /** Of one principal, or of one address without one; 0: no limit. */
    readonly requestsPerSecond: number;
  };
  readonly metrics: Metrics;
  /** The routes of the configuration, for what no path here takes; left out: there are none. */
  readonly streamRoutes?: (
    surface: Pick<StreamRoutesDeps, 'principalOf' | 'now' | 'allowedOrigins'>,
  ) => StreamRoutes;
  /** The first page of development mode; otherwise, and in a program, there is a plain one. */
  readonly page?: PageDeps;
}

export interface Http {
  /** For `upgrade` listeners; whoever takes a socket over ends it too. */
  readonly server: Server;
  /** Resolves once the port is bound, with what it was bound to; rejects with the error of the bind. */
  listen(address: { readonly host?: string; readonly port: number }): Promise<{ host: string; port: number }>;
  /**
   * Takes no more connections, gives requests under way `CLOSE_GRACE_MS`, and resolves when every connection has
   * ended, upgraded ones included.
   */
  close(): Promise<void>;
}

/** How long a client may take over its headers, and over a whole request. */
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;
const CLOSE_GRACE_MS = 1_000;

/** Makes the HTTP surface, not yet listening: probes, publishing, what native clients ask, the page; else 404. */
export async function createHttp(deps: HttpDeps): Promise<Http> {
  let server: Server | undefined;
  const app = fastify({
    frameworkErrors: (_error, _request, reply) => void sendProblem(reply, 'bad_request'),
    serverFactory: (handler) => {
      server = createServer(
        { headersTimeout: HEADERS_TIMEOUT_MS, requestTimeout: REQUEST_TIMEOUT_MS },
        // Before any router, which would have its own idea of what a target means.
        (request, response) => {
          if (checkTarget(request.url ?? '') === undefined) refuseTarget(response);
          else handler(request, response);
        },
      );
      return server;
    },
    clientErrorHandler: refuseUnreadable,
  });
  const routes = gatherRoutes(app);
  const limit = createHttpLimit({
    perSecond: deps.limits.requestsPerSecond,
    addressOf: createClientAddress(deps.trustProxy),
    metrics: deps.metrics,
    now: deps.native.now,
  });
  const principalOf = createPrincipalOf({ access: deps.native.access, limit });
  const streamRoutes = deps.streamRoutes?.({
    principalOf,
    now: deps.native.now,
    allowedOrigins: deps.allowedOrigins,
  });
  addCommon(app, deps, { routes, limit, streamRoutes });
  addProbes(app, deps);
  await app.register(async (scope) => addPublishing(scope, deps, limit));
  const asks = createHttpAsks(deps.native);
  await app.register(async (scope) =>
    addControlRoutes(scope, { ...deps, access: deps.native.access, limit, principalOf, asks }),
  );
  await app.register(async (scope) => addAskRoute(scope, { ...deps, principalOf, asks }));
  addNativeRoutes(app, { ...deps.native, principalOf, metrics: deps.metrics, logger: deps.logger });
  addEventsRoute(app, deps.events);
  if (deps.mode === 'development' && deps.page !== undefined) addPageRoutes(app, deps.page);
  else addFrontPage(app);
  addDocument(app, deps, routes);
  // Nothing is added after this: what is would answer no OPTIONS.
  addOptions(app, routes, deps.allowedOrigins);
  streamRoutes?.begin(routes.keys());
  await app.ready();
  return asHttp(app, server as Server);
}

function addCommon(
  app: FastifyInstance,
  { logger, mode, allowedOrigins }: HttpDeps,
  {
    routes,
    limit: isWithin,
    streamRoutes,
  }: {
    readonly routes: Routes;
    readonly limit: HttpLimit;
    readonly streamRoutes: StreamRoutes | undefined;
  },
): void {
  // A body that no route asked for is not read, so that its type and size cannot turn a 404 into something else.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, _payload, done) => done(null));
  app.addHook('onRequest', async (request, reply) => {
    reply.header('X-Content-Type-Options', 'nosniff');
    const { facts } = request.routeOptions.config;
    if (facts !== undefined && request.method !== 'OPTIONS') {
      setSharing(request, reply, facts, allowedOrigins);
    }
    if (mode === 'development' && !isLoopbackHost(request.headers.host)) {
      return sendProblem(reply, 'forbidden', 'Development mode answers to the names of this machine only.');
    }
    // What needs a credential is counted when it is known whose it is.
    const isCounted = facts?.access === 'open' && request.method !== 'OPTIONS';
    return isCounted && !isWithin(request, reply) ? reply : undefined;
  });
  app.setNotFoundHandler(async (request, reply) => {
    if (refuseMethod(request, reply, routes, allowedOrigins)) return reply;
    if ((await streamRoutes?.serve(request, reply)) === true) return reply;
    logger.debug({ method: request.method, path: request.url.split('?', 1)[0] }, 'unexpected request');
    return reply.code(404).type('text/plain; charset=utf-8').send('Not Found');
  });
  app.setErrorHandler((error: unknown, request, reply) => {
    const code = problemOf(error);
    if (code === 'internal') logger.error({ err: error, method: request.method }, 'request failed');
    const { bodyLimit } = request.routeOptions;
    const detail =
      code === 'too_large' ? `The body is larger than maxBodyBytes, which is ${bodyLimit}.` : undefined;
    return sendProblem(reply, code, detail);
  });
}

function addProbes(app: FastifyInstance, { isReady }: HttpDeps): void {
  app.get('/health', route('probe', healthOperation), (_request, reply) => answerProbe(reply, 200, 'OK'));
  app.get('/ready', route('probe', readyOperation), (_request, reply) =>
    isReady() ? answerProbe(reply, 200, 'OK') : answerProbe(reply, 503, 'SUBSCRIBER_UNAVAILABLE'),
  );
}

function answerProbe(reply: FastifyReply, status: number, text: string): FastifyReply {
  return reply.code(status).header('Cache-Control', 'no-store').type('text/plain; charset=utf-8').send(text);
}

function addDocument(app: FastifyInstance, { mode, native }: HttpDeps, routes: Routes): void {
  let text: string | undefined;
  app.get('/openapi.json', route('open', documentOperation), (_request, reply) => {
    // At the first request: now all routes are there.
    text ??= JSON.stringify(openApiDocument({ routes, mode, cookieName: native.access.cookieName }));
    return reply.header('Cache-Control', 'no-cache').type('application/json; charset=utf-8').send(text);
  });
}

function addPublishing(app: FastifyInstance, deps: HttpDeps, isWithin: HttpLimit): void {
  const { access } = deps.native;
  const hasApiKey = createApiKeyCheck(deps.apiKeys);
  const publishers = new WeakMap<FastifyRequest, HttpPublisher>();
  takeJson(app);
  // Before the body is read: nobody who may not publish makes this process keep a megabyte.
  app.addHook('onRequest', async (request, reply) => {
    const { authorization } = request.headers;
    if (deps.mode === 'development' && !isSameOrigin(request.headers)) {
      return sendProblem(reply, 'forbidden', 'Development mode takes a POST from its own page only.');
    }
    const hasTicket = queryParameter(request.url, 'ticket') !== undefined;
    const isOwnPage = deps.isKeyless && !hasTicket;
    const allowed = authorization === undefined ? isOwnPage : hasApiKey(authorization);
    const found = allowed ? undefined : await publishing(request);
    const user = typeof found === 'string' ? undefined : found?.principal.user;
    if (!allowed && !isWithin(request, reply, user)) return reply;
    if (typeof found === 'string') return sendProblem(reply, found);
    if (found?.principal.publish.length === 0) return sendProblem(reply, 'unauthorized', MAY_NOTHING);
    if (!isJson(request)) return sendProblem(reply, 'unsupported_media_type');
    const isFirst = found?.ticket === undefined || (await access.redeem(found.ticket).catch(() => undefined));
    if (isFirst === undefined) return sendProblem(reply, 'unavailable');
    if (!isFirst) return sendProblem(reply, 'unauthorized', 'This ticket was used.');
    publishers.set(request, found === undefined ? KEY_HOLDER : publisherOf(found.principal));
    return undefined;
  });
  addPublishRoutes(app, {
    publish: deps.publish,
    isUnknown: deps.isUnknown,
    publisherOf: (request) => publishers.get(request) ?? NOBODY,
    maxBodyBytes: deps.maxBodyBytes,
    maxBatch: deps.maxBatch,
    outages: new OutageLog(deps.logger, {
      fails: 'publish failed; answering 503',
      works: 'publish works again',
    }),
  });

  /** Who has a token in the Authorization header, or a ticket, and nothing else: a cookie publishes nothing. */
  async function publishing({ headers, url }: FastifyRequest): Promise<NativeAuthenticated | ProblemCode> {
    const { authorization } = headers;
    if (authorization === undefined && queryParameter(url, 'ticket') === undefined) return 'unauthorized';
    const asked = authorization === undefined ? { headers: {}, target: url } : { headers: { authorization } };
    const found = await access.authenticate({ target: '/', ...asked });
    if (Either.isLeft(found)) return problemOfAuth(found.left);
    return found.right;
  }
}

const MAY_NOTHING =
  'This token may publish nothing: it has no publish. An API key may, or a token that has it.';

/** Who has an API key, or is this machine's own page in development mode. */
const KEY_HOLDER: HttpPublisher = { keyScope: 'a', mayPublish: () => true };
const NOBODY: HttpPublisher = { keyScope: '', mayPublish: () => false };

function publisherOf(principal: NativePrincipal): HttpPublisher {
  return {
    // As the keys of a socket of the same user.
    keyScope: `u\n${principal.user}`,
    mayPublish: (channel) => mayPublish(principal, channel),
  };
}

function asHttp(app: FastifyInstance, server: Server): Http {
  let settled: Promise<unknown> = Promise.resolve();
  return {
    server,
    listen({ host, port }) {
      const bound = new Promise<{ host: string; port: number }>((resolve, reject) => {
        server.once('error', reject);
        server.listen({ host, port }, () => {
          server.off('error', reject);
          const { address, port: boundPort } = server.address() as AddressInfo;
          resolve({ host: address, port: boundPort });
        });
      });
      settled = bound.catch(() => {});
      return bound;
    },
    async close() {
      // A worker asks its primary for the port. Node 20 throws when the answer is an error and the server was
      // closed meanwhile: listenOnPrimaryHandle closes a handle that is not there.
      await settled;
      const grace = setTimeout(() => server.closeAllConnections(), CLOSE_GRACE_MS);
      await new Promise<void>((resolve) => {
        // The error is that it was not listening, which is what was wanted.
        server.close(() => resolve());
        server.closeIdleConnections();
      });
      clearTimeout(grace);
      await app.close();
    },
  };
}
