import type { IncomingMessage, Server } from 'node:http';
import type { Logger } from 'pino';
import type { Actors } from '../actors/actors.ts';
import type { Authenticate } from '../auth/authenticate.ts';
import { createRefusalCount } from '../auth/counted-access.ts';
import { isAllowedOrigin } from '../auth/origin.ts';
import type { Principal } from '../auth/principal.ts';
import type { Clock } from '../clock.ts';
import type { LoadedConfig } from '../config/loaded.ts';
import { readLastId } from '../protocol/superset/last-id.ts';
import type { LogLimit } from '../telemetry/log-limit.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { ClientAddress } from './client-address.ts';
import type { ConnectLimit } from './connect-limit.ts';
import { isLoopbackHost, isSameOrigin } from './http-loopback.ts';
import { isNativeUpgrade } from './native-upgrade.ts';
import { type Accepted, acceptWebSockets } from './websocket.ts';

export interface SupersetSocketsDeps {
  readonly server: Server;
  readonly actors: Pick<Actors, 'sockets' | 'routing' | 'isAccepting'>;
  readonly loaded: Pick<LoadedConfig, 'config' | 'mode'>;
  readonly authenticate: Authenticate;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly limit: LogLimit;
  readonly clock: Clock;
  isDraining(): boolean;
  /** Whether a route of the configuration takes an upgrade. */
  isRouted(request: IncomingMessage): boolean;
  readonly connectLimit: ConnectLimit;
  readonly addressOf: ClientAddress;
  /** Sockets of all protocols. */
  socketCount(): number;
}

/** Serves Superset's browser clients on any path of an HTTP server. */
export function acceptSupersetSockets(deps: SupersetSocketsDeps): void {
  const { actors, metrics, logger, limit, clock } = deps;
  const { config, mode } = deps.loaded;
  const { sockets, routing } = actors;
  const countRefusal = createRefusalCount(metrics, 'superset');

  acceptWebSockets({
    server: deps.server,
    addressOf: deps.addressOf,
    isForeign: (request) => isNativeUpgrade(request) || deps.isRouted(request),
    budget: routing.budget,
    metrics,
    maxFrameBytes: config.maxFrameBytes,
    isCompressing: config.compression.enabled,
    now: clock.now,
    unavailable() {
      if (deps.isDraining()) return 'draining';
      return actors.isAccepting() ? undefined : 'not ready';
    },
    isServed: ({ headers }) =>
      config.superset.protocol !== 'off' && (mode === 'production' || isLoopbackHost(headers.host)),
    isAllowedOrigin({ headers }) {
      const isAllowed =
        mode === 'development'
          ? isSameOrigin(headers)
          : isAllowedOrigin(headers.origin, config.allowedOrigins);
      if (!isAllowed) countRefusal('origin');
      return isAllowed;
    },
    authenticate: ({ headers, url = '' }) => deps.authenticate({ headers, target: url }),
    tooSoonMs: deps.connectLimit,
    totalReached,
    channelReached,
    open,
    onRefused: ({ status, reason, address }) =>
      limit.log(`refused ${reason}`, (suppressed) =>
        logger.warn({ status, reason, address, suppressed }, 'Refused an upgrade'),
      ),
  });

  function totalReached(): string | undefined {
    const { maxTotalConnections: most } = config;
    return most > 0 && deps.socketCount() >= most ? `total connection limit (${most}) reached` : undefined;
  }

  function channelReached({ channels }: Principal): string | undefined {
    const { maxConnectionsPerChannel: most } = config;
    const isReached = most > 0 && sockets.countOn(channels[0] as string) >= most;
    return isReached ? `per-channel connection limit (${most}) reached` : undefined;
  }

  function open({ principal, target, address, connect }: Accepted): void {
    const { channels, expiresAtMs } = principal;
    const { id: lastId, malformed } = readLastId(target);
    if (malformed) metrics.count('signalbox.last_id_ignored', 1, { reason: 'malformed' });
    sockets.open({
      channels,
      peer: {
        transport: 'websocket',
        protocol: 'superset',
        user: principal.user,
        session: undefined,
        address,
      },
      lastId: config.superset.protocol === 'streams' ? lastId : undefined,
      credentialLifetimeMs: expiresAtMs === undefined ? undefined : Math.max(0, expiresAtMs - clock.now()),
      connect,
    });
  }
}
