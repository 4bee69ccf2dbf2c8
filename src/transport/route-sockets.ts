import type { IncomingMessage, Server } from 'node:http';
import * as Either from 'fp-ts/lib/Either.js';
import { type AuthError, authError } from '../auth/auth-error.ts';
import type { NativePrincipal } from '../auth/native-principal.ts';
import type { NativeAccess } from '../auth/native-access.ts';
import { createRefusalCount } from '../auth/counted-access.ts';
import { isAllowedOrigin } from '../auth/origin.ts';
import type { Principal } from '../auth/principal.ts';
import type { Sessions } from '../protocol/native/sessions.ts';
import { isListed } from '../routes/channel-rules.ts';
import type { RouteMatch, Routes } from '../routes/routes.ts';
import type { Sockets } from '../actors/sockets.ts';
import type { BufferBudget } from '../routing/buffer-budget.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { ClientAddress } from './client-address.ts';
import type { ConnectLimit } from './connect-limit.ts';
import { RouteReader } from './route-reader.ts';
import { acceptWebSockets } from './websocket.ts';

export interface RouteSocketsDeps {
  readonly server: Server;
  readonly routes: Routes;
  /** What the messages of a route's channels are heard by. */
  readonly socketsOf: (match: RouteMatch) => Sockets;
  readonly budget: BufferBudget;
  readonly access: Pick<NativeAccess, 'authenticate' | 'isAllowedOrigin'>;
  /** Where those who came by a token are found when it is revoked. */
  readonly sessions: Pick<Sessions, 'addReader' | 'removeReader'>;
  readonly allowedOrigins: readonly string[];
  readonly maxFrameBytes: number;
  /** Whether this host is served at all. */
  isServed(request: IncomingMessage): boolean;
  unavailable(): 'draining' | 'not ready' | undefined;
  isFull(): boolean;
  readonly connectLimit: ConnectLimit;
  readonly addressOf: ClientAddress;
  readonly metrics: Metrics;
  readonly now: () => number;
  readonly onRefused: (refusal: { status: number; reason: string; address: string | undefined }) => void;
}

/** Who reads a route, and by which token; left out: it needs none. */
interface RoutePrincipal extends Principal {
  readonly holder?: NativePrincipal;
}

/** The route of a WebSocket; one that an application governs has none. */
export function routeOf(routes: Routes, { url = '' }: IncomingMessage): RouteMatch | undefined {
  const match = routes.find(url);
  return match?.channel === undefined ? undefined : match;
}

/**
 * Serves the routes of the configuration over WebSocket, too: each message of the channel is a message, of text where
 * it is UTF-8. What a client says is not read.
 */
export function acceptRouteSockets(deps: RouteSocketsDeps): void {
  const { routes, access, sessions } = deps;
  const countRefusal = createRefusalCount(deps.metrics, 'native');
  const matchOf = (request: IncomingMessage): RouteMatch => routeOf(routes, request) as RouteMatch;

  acceptWebSockets<RoutePrincipal>({
    ...deps,
    isForeign: (request) => routeOf(routes, request) === undefined,
    isCompressing: false,
    tooSoonMs: deps.connectLimit,
    isAllowedOrigin(request) {
      const { headers, url = '' } = request;
      if (matchOf(request).route.settings.auth === undefined) {
        return isAllowedOrigin(headers.origin, deps.allowedOrigins);
      }
      return access.isAllowedOrigin({ headers, target: url });
    },
    authenticate: (request) => authenticate(request),
    totalReached: () => (deps.isFull() ? 'total connection limit reached' : undefined),
    channelReached: () => undefined,
    open({ principal, target, address, connect }) {
      const { channels, holder } = principal;
      const match = routes.find(target) as RouteMatch;
      const protocol = match.route.settings.source;
      const sockets = deps.socketsOf(match);
      let reader: RouteReader | undefined;
      const id = sockets.open({
        channels,
        peer: { transport: 'websocket', protocol, user: holder?.user, session: holder?.session, address },
        lastId: undefined,
        credentialLifetimeMs:
          principal.expiresAtMs === undefined ? undefined : Math.max(0, principal.expiresAtMs - deps.now()),
        connect,
        onReleased() {
          if (reader !== undefined) sessions.removeReader(reader);
        },
      });
      const socket = sockets.get(id);
      if (holder === undefined || socket === undefined) return;
      reader = new RouteReader(socket, holder, protocol === 'native' ? channels : []);
      sessions.addReader(reader);
    },
  });

  function refused(): Either.Either<AuthError, never> {
    countRefusal('route');
    return Either.left(authError('route'));
  }

  function authenticate(request: IncomingMessage): Either.Either<AuthError, RoutePrincipal> {
    const { headers, url: target = '' } = request;
    const { route, channel = '', fault } = matchOf(request);
    if (fault !== undefined) return refused();
    if (route.settings.auth === undefined) return Either.right({ channels: [channel] });
    const found = access.authenticate({ headers, target });
    // Of an application that takes its time: a route has no close code to tell a browser by.
    if (found instanceof Promise) return refused();
    if (Either.isLeft(found)) return found;
    const { principal, ticket } = found.right;
    const isAllowed = ticket === undefined && isListed(principal.channels, channel);
    if (!isAllowed) return refused();
    const { user, expiresAtMs } = principal;
    return Either.right({ user, channels: [channel], expiresAtMs, holder: principal });
  }
}
