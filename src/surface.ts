import { randomUUID } from 'node:crypto';
import type { Feeds } from './actors/feeds.ts';
import { createAuthenticate } from './auth/authenticate.ts';
import { countedAccess, countedAuthenticate, createRefusalCount } from './auth/counted-access.ts';
import { type AuthenticateByApplication, createNativeAccess } from './auth/native-access.ts';
import type { Broker } from './broker/ports.ts';
import { type Clock, createAfter } from './clock.ts';
import type { LoadedConfig } from './config/loaded.ts';
import type { Decider } from './decider/decider.ts';
import { createHistory } from './history.ts';
import type { Instances } from './instances/instances.ts';
import { createNativeEvents } from './protocol/native/event-codec.ts';
import type { Sessions } from './protocol/native/sessions.ts';
import type { Publishing } from './publishing.ts';
import { createStreams } from './streams.ts';
import type { LogLimit } from './telemetry/log-limit.ts';
import type { Logger } from './telemetry/logger.ts';
import type { Metrics } from './telemetry/metrics.ts';
import { createClientAddress } from './transport/client-address.ts';
import { createConnectLimit } from './transport/connect-limit.ts';
import { isLoopbackHost } from './transport/http-loopback.ts';
import { createHttp, type Http } from './transport/http.ts';
import { acceptNativeSockets } from './transport/native-sockets.ts';
import type { PageDeps } from './transport/page.ts';
import { acceptSupersetSockets } from './transport/superset-sockets.ts';

export interface SurfaceDeps {
  readonly loaded: LoadedConfig;
  readonly clock: Clock;
  readonly broker: Broker;
  readonly feeds: Feeds;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly limit: LogLimit;
  /** The application. */
  readonly decider: Decider;
  readonly sessions: Sessions;
  readonly instances: Instances;
  readonly publishing: Publishing;
  /** Who a request is of; undefined: its token says. */
  readonly authenticate: AuthenticateByApplication | undefined;
  readonly page: PageDeps | undefined;
  /** Whether this machine's own pages need no key to publish. */
  readonly isKeyless: boolean;
  /** Before the paths that browsers see: of a guest, the path that it was given. */
  readonly basePath: string;
  /** What `/ready` answers. */
  isReady(): boolean;
  isDraining(): boolean;
}

/** Makes everything that is met at the port, which is not bound yet: HTTP, and the sockets of every protocol. */
export async function createSurface(deps: SurfaceDeps): Promise<Http> {
  const { loaded, clock, broker, feeds, logger, limit, instances, publishing } = deps;
  const { config, mode } = loaded;
  const { superset, native } = feeds;
  const access = countedAccess(
    createNativeAccess({
      config,
      now: clock.now,
      claim: (key, ttlMs) => broker.once.claim(key, ttlMs),
      isRevoked: (principal) => instances.isRevoked(principal),
      newId: randomUUID,
      application: deps.authenticate,
    }),
    createRefusalCount(deps.metrics, 'native'),
  );
  const epoch = (): string => native.routing.fanOut.epoch;
  const history = createHistory(broker.native, createNativeEvents(), epoch);
  const addressOf = createClientAddress(config.trustProxy);
  const connectLimit = createConnectLimit({
    perSecond: config.limits.connectsPerIpPerSecond,
    addressOf,
    metrics: deps.metrics,
    now: clock.now,
  });
  const isAccepting = (): boolean => native.isAccepting() && instances.isReady();
  const streams = createStreams({ ...deps, access, connectLimit, addressOf, isAccepting });
  const http = await createHttp({
    ...config,
    logger,
    mode,
    isKeyless: deps.isKeyless,
    publish: publishing.forHttp,
    isUnknown: publishing.isUnknown,
    maxBatch: config.publish.maxBatch,
    native: {
      access,
      now: clock.now,
      history,
      decider: deps.decider,
      newId: randomUUID,
      asksInFlight: config.limits.asksInFlight,
      askTimeoutMs: config.askTimeoutMs,
      after: createAfter(clock),
    },
    control: instances,
    events: streams.events,
    ...(streams.routes !== undefined && { streamRoutes: streams.routes }),
    metrics: deps.metrics,
    ...(deps.page !== undefined && { page: deps.page }),
    isReady: () => deps.isReady(),
  });
  const accepting = {
    server: http.server,
    loaded,
    metrics: deps.metrics,
    logger,
    limit,
    clock,
    isDraining: () => deps.isDraining(),
    socketCount: () => feeds.socketCount(),
    connectLimit,
    addressOf,
    isRouted: streams.isRouted,
  };
  streams.acceptSockets(http.server, ({ headers }) => mode === 'production' || isLoopbackHost(headers.host));
  // Where Superset is not served its sockets are refused before anything is asked of the actors.
  acceptSupersetSockets({
    ...accepting,
    actors: superset ?? native,
    authenticate: countedAuthenticate(
      createAuthenticate(config, clock.now),
      createRefusalCount(deps.metrics, 'superset'),
    ),
  });
  acceptNativeSockets({
    ...accepting,
    actors: { ...native, isAccepting },
    access,
    publish: publishing.forClient,
    decider: deps.decider,
    sessions: deps.sessions,
    newId: randomUUID,
  });
  return {
    ...http,
    async close() {
      await Promise.all([http.close(), streams.close()]);
    },
  };
}
