import { randomUUID } from 'node:crypto';
import type { IncomingMessage, Server } from 'node:http';
import { streamPingMs } from './actors/actors.ts';
import type { Sockets } from './actors/sockets.ts';
import type { NativeAccess } from './auth/native-access.ts';
import { createRoutes } from './routes/routes.ts';
import type { SurfaceDeps } from './surface.ts';
import type { ClientAddress } from './transport/client-address.ts';
import type { ConnectLimit } from './transport/connect-limit.ts';
import type { EventsDeps } from './transport/http-events.ts';
import type { HttpDeps } from './transport/http.ts';
import { createNativeStreams } from './transport/native-streams.ts';
import { acceptRouteSockets, routeOf } from './transport/route-sockets.ts';
import { createRouteStreams } from './transport/route-streams.ts';
import { createStreamRoutes } from './transport/stream-routes.ts';
import { createUpstreams } from './transport/upstreams.ts';

export interface StreamsDeps extends SurfaceDeps {
  readonly access: NativeAccess;
  readonly connectLimit: ConnectLimit;
  readonly addressOf: ClientAddress;
  /** Whether sockets of native channels are opened. */
  isAccepting(): boolean;
}

/** What HTTP serves that does not end: `/events`, and the routes of the configuration. */
export interface Streams {
  readonly events: EventsDeps;
  /** Undefined: there are none. */
  readonly routes: HttpDeps['streamRoutes'];
  /** Whether a route takes an upgrade. */
  isRouted(request: IncomingMessage): boolean;
  /** Serves the routes over WebSocket, too. */
  acceptSockets(server: Server, isServed: (request: IncomingMessage) => boolean): void;
  close(): Promise<void>;
}

export function createStreams(deps: StreamsDeps): Streams {
  const { loaded, clock, feeds, logger, limit, access, connectLimit, addressOf, decider, publishing } = deps;
  const { config } = loaded;
  const upstreams = createUpstreams({
    trustProxy: config.trustProxy,
    maxBodyBytes: config.maxBodyBytes,
    logger,
    limit,
  });
  const shared = {
    connectLimit,
    addressOf,
    random: Math.random,
    isFull: () => config.maxTotalConnections > 0 && feeds.socketCount() >= config.maxTotalConnections,
    onRefused: (refusal: { status?: number; reason: string; address: string | undefined }) =>
      limit.log(`refused stream ${refusal.reason}`, (suppressed) =>
        logger.warn({ ...refusal, suppressed }, 'Refused a stream'),
      ),
  };
  const unavailable = () => (deps.isDraining() ? ('draining' as const) : undefined);
  const openStream = createRouteStreams({ ...shared, access, sessions: deps.sessions, clock, unavailable });
  const routes = createRoutes(config);
  const streams = createNativeStreams({
    actors: feeds.native,
    access,
    sessions: deps.sessions,
    clock,
    rules: {
      decider,
      publish: publishing.forClient,
      random: Math.random,
      pingIntervalMs: streamPingMs(config.pingSocketsIntervalMs),
    },
    maxPerUser: config.maxConnectionsPerChannel,
  });

  return {
    events: {
      ...shared,
      access,
      streams,
      decider,
      maxChannels: config.maxSubscriptionsPerSocket,
      unavailable: () => unavailable() ?? (deps.isAccepting() ? undefined : 'not ready'),
      metrics: deps.metrics,
      newId: randomUUID,
      basePath: deps.basePath,
    },
    routes:
      config.routes.length === 0
        ? undefined
        : (surface) =>
            createStreamRoutes({
              ...surface,
              routes,
              random: Math.random,
              actorsOf: ({ settings }) =>
                settings.source === 'native' ? feeds.native : feeds.pubSub(settings.redis, settings.format),
              openStream,
              askUpstream: upstreams.ask,
              logger,
            }),
    isRouted: (request) => routeOf(routes, request) !== undefined,
    acceptSockets(server, isServed) {
      if (routes.all.length === 0) return;
      acceptRouteSockets({
        ...shared,
        server,
        routes,
        access,
        sessions: deps.sessions,
        isServed,
        socketsOf({ route: { settings } }) {
          if (settings.source === 'native') return feeds.native.streams.at(-1) as Sockets;
          return feeds.pubSub(settings.redis, 'messages').sockets;
        },
        budget: feeds.native.routing.budget,
        allowedOrigins: config.allowedOrigins,
        maxFrameBytes: config.maxFrameBytes,
        unavailable,
        metrics: deps.metrics,
        now: clock.now,
      });
    },
    close: () => upstreams.close(),
  };
}
