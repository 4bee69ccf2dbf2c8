import type { IncomingMessage, Server } from 'node:http';
import type { Logger } from 'pino';
import type { Actors } from '../actors/actors.ts';
import type { NativeAccess } from '../auth/native-access.ts';
import { type Clock, createAfter } from '../clock.ts';
import type { LoadedConfig } from '../config/loaded.ts';
import type { Decider } from '../decider/decider.ts';
import { userChannel } from '../protocol/native/names.ts';
import { NativeSession, type SessionRules } from '../protocol/native/session.ts';
import type { Sessions } from '../protocol/native/sessions.ts';
import type { LogLimit } from '../telemetry/log-limit.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { ClientAddress } from './client-address.ts';
import type { ConnectLimit } from './connect-limit.ts';
import { isLoopbackHost } from './http-loopback.ts';
import { openNative } from './native-opening.ts';
import { acceptNativeUpgrades, type NativeAccepted } from './native-upgrade.ts';
import { WebSocketTransport } from './websocket-transport.ts';

export interface NativeSocketsDeps {
  readonly server: Server;
  readonly actors: Pick<Actors, 'sockets' | 'routing' | 'countOn' | 'isAccepting'>;
  readonly loaded: Pick<LoadedConfig, 'config' | 'mode'>;
  readonly access: NativeAccess;
  readonly publish: SessionRules['publish'];
  /** The application. */
  readonly decider: Decider;
  /** Where those that are open are found. */
  readonly sessions: Sessions;
  readonly newId: () => string;
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

/** Serves the native protocol on any path of an HTTP server. */
export function acceptNativeSockets(deps: NativeSocketsDeps): void {
  const { actors, access, metrics, logger, limit, clock, decider, sessions } = deps;
  const { config, mode } = deps.loaded;
  const { sockets, routing } = actors;
  const rules: SessionRules = {
    pingIntervalMs: config.pingSocketsIntervalMs,
    maxSubscriptions: config.maxSubscriptionsPerSocket,
    framesPerSecond: config.limits.framesPerSecond,
    asksInFlight: config.limits.asksInFlight,
    askTimeoutMs: config.askTimeoutMs,
    decider,
    now: () => clock.now(),
    after: createAfter(clock),
    epoch: () => routing.fanOut.epoch,
    publish: deps.publish,
    refresh: access.refresh,
  };

  acceptNativeUpgrades({
    server: deps.server,
    metrics,
    maxFrameBytes: config.maxFrameBytes,
    isCompressing: config.compression.enabled,
    isRouted: deps.isRouted,
    isServed: ({ headers }) => mode === 'production' || isLoopbackHost(headers.host),
    unavailable() {
      if (deps.isDraining()) return 'draining';
      return actors.isAccepting() ? undefined : 'not ready';
    },
    isFull: () => config.maxTotalConnections > 0 && deps.socketCount() >= config.maxTotalConnections,
    tooSoonMs: deps.connectLimit,
    isAllowedOrigin: ({ headers, url = '' }) => access.isAllowedOrigin({ headers, target: url }),
    authenticate: ({ headers, url = '' }) => access.authenticate({ headers, target: url }),
    hasTooMany: ({ user }) => {
      const { maxConnectionsPerChannel: most } = config;
      return most > 0 && actors.countOn(userChannel(user)) >= most;
    },
    redeem: access.redeem,
    newId: deps.newId,
    addressOf: deps.addressOf,
    ...(decider.connect !== undefined && { admit: decider.connect.bind(decider) }),
    dismiss: (peer) => decider.disconnected?.(peer, 'gone'),
    open,
    onRefused: ({ status, reason, address }) =>
      limit.log(`refused ${reason}`, (suppressed) =>
        logger.warn({ status, reason, address, suppressed }, 'Refused an upgrade'),
      ),
  });

  function open({ id, principal, address, socket, connection }: NativeAccepted): void {
    openNative<NativeSession>({
      sockets,
      sessions,
      access,
      id,
      principal,
      transport: 'websocket',
      address,
      connect: (listener, session) =>
        new WebSocketTransport({
          id,
          socket,
          connection,
          listener,
          budget: routing.budget,
          now: clock.now,
          inbound: (data, isBinary) => session()?.receive(data, isBinary),
        }),
      converse: (opened) => new NativeSession(opened, principal, rules),
    });
  }
}
