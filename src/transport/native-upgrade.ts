import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import * as Either from 'fp-ts/lib/Either.js';
import type { WebSocket } from 'ws';
import type { AuthError } from '../auth/auth-error.ts';
import type { NativeAuthenticated } from '../auth/native-authenticate.ts';
import type { NativePrincipal } from '../auth/native-principal.ts';
import type { Decider, Peer } from '../decider/decider.ts';
import { CLOSES, type CloseCode } from '../protocol/native/close-codes.ts';
import { type ErrorCode, ERRORS } from '../protocol/native/error-codes.ts';
import { encodeServerFrame } from '../protocol/native/server-codec.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { ClientAddress } from './client-address.ts';
import { connectRequest } from './connect-request.ts';
import { NativeWebSocket } from './native-websocket.ts';
import { refuseUpgrade } from './refusal.ts';
import { checkTarget } from './request-target.ts';
import { createUpgradeServers } from './upgrade-servers.ts';
import { destroyOnError, turnAway } from './websocket.ts';

export const NATIVE_PROTOCOL = 'signalbox.v1';

/** A client that was let in, upgraded. */
export interface NativeAccepted {
  /** What its socket is to be called. */
  readonly id: string;
  readonly principal: NativePrincipal;
  /** Where it comes from. */
  readonly address: string;
  readonly socket: WebSocket;
  readonly connection: Duplex;
}

export interface NativeUpgradeDeps {
  readonly server: Server;
  /** Whether a route of the configuration takes it. */
  isRouted(request: IncomingMessage): boolean;
  /** Whether this host is served at all. */
  isServed(request: IncomingMessage): boolean;
  /** Undefined: upgrades are accepted. */
  unavailable(): 'draining' | 'not ready' | undefined;
  /** Whether there are as many sockets as may be. */
  isFull(): boolean;
  /** Counts an upgrade: 0, or after how many milliseconds its address may ask again. */
  tooSoonMs(request: IncomingMessage): number;
  /** Asked before the token is verified: whose page this is says the origin, and what kind of credential it brings. */
  isAllowedOrigin(request: IncomingMessage): boolean;
  /** A promise where the application is asked; it rejects when that fails. */
  authenticate(
    request: IncomingMessage,
  ): Either.Either<AuthError, NativeAuthenticated> | Promise<Either.Either<AuthError, NativeAuthenticated>>;
  /** Whether this user has as many sockets as it may. */
  hasTooMany(principal: NativePrincipal): boolean;
  /** Uses a ticket up; false: it was used before. Rejects when nobody can say. */
  redeem(ticket: NonNullable<NativeAuthenticated['ticket']>): Promise<boolean>;
  readonly newId: () => string;
  readonly addressOf: ClientAddress;
  /** Asks the application, last of all; left out: it lets everybody in. */
  readonly admit?: NonNullable<Decider['connect']>;
  /** One that the application has let in is refused after all. */
  readonly dismiss?: (peer: Peer) => void;
  open(accepted: NativeAccepted): void;
  readonly metrics: Metrics;
  readonly maxFrameBytes: number;
  /** Whether clients that offer permessage-deflate get compressed frames. */
  readonly isCompressing: boolean;
  readonly onRefused: (refusal: { status: number; reason: string; address: string | undefined }) => void;
}

/** Why a client is turned away: the code that it is closed with, and what the log says. */
interface Refusal {
  readonly code: CloseCode;
  readonly reason: string;
  /** In the place of the code's own word. */
  readonly word?: string;
  /** Told before the close. */
  readonly retryAfterMs?: number;
}

/** Whether an upgrade asks for the native protocol. */
export function isNativeUpgrade({ headers }: IncomingMessage): boolean {
  const offered = headers['sec-websocket-protocol'] ?? '';
  return offered.split(',').some((protocol) => protocol.trim() === NATIVE_PROTOCOL);
}

/**
 * Takes the upgrades off an HTTP server that ask for the native protocol, cheapest check first. One that is well
 * formed is completed and then refused by a close code: a browser sees nothing of an HTTP status.
 */
export function acceptNativeUpgrades(deps: NativeUpgradeDeps): void {
  const serverFor = createUpgradeServers({
    maxFrameBytes: deps.maxFrameBytes,
    isCompressing: deps.isCompressing,
    handleProtocols: () => NATIVE_PROTOCOL,
    WebSocket: NativeWebSocket,
    refuse: (request, connection) => refuseHttp(request, connection, 'bad handshake'),
  });
  deps.server.on('upgrade', (request: IncomingMessage, connection: Duplex, head: Buffer) => {
    if (!isNativeUpgrade(request) || deps.isRouted(request)) return;
    destroyOnError(connection);
    const isWebSocket = request.headers.upgrade?.toLowerCase() === 'websocket';
    if (!isWebSocket || checkTarget(request.url ?? '') === undefined || !deps.isServed(request)) {
      return refuseHttp(request, connection, 'bad request');
    }
    const complete = (then: (socket: WebSocket) => void): void =>
      serverFor(request).handleUpgrade(request, connection, head, then);
    const turnBack = (refusal: Refusal): void => complete((socket) => refuse(request, socket, refusal));
    const open = (principal: NativePrincipal, id: string): void =>
      complete((socket) =>
        deps.open({ id, principal, address: deps.addressOf(request), socket, connection }),
      );
    const proceed = (authenticated: Either.Either<AuthError, NativeAuthenticated>): void => {
      const checked = check(authenticated);
      if (Either.isLeft(checked)) return turnBack(checked.left);
      const { principal, ticket } = checked.right;
      const id = deps.newId();
      if (ticket === undefined && deps.admit === undefined) return open(principal, id);
      void lastRefusal(checked.right, id, request, connection).then((refusal) => {
        if (refusal !== undefined) return turnBack(refusal);
        // Others may have come while somebody was asked.
        const late = refusalNow(principal);
        if (late === undefined) return open(principal, id);
        if (deps.admit !== undefined) deps.dismiss?.({ socket: id, principal });
        turnBack(late);
      });
    };
    const early = earlyRefusal() ?? tooSoon(request) ?? (deps.isAllowedOrigin(request) ? undefined : ORIGIN);
    if (early !== undefined) return turnBack(early);
    const authenticated = deps.authenticate(request);
    if (!(authenticated instanceof Promise)) return proceed(authenticated);
    authenticated.then(
      (answer) => {
        // A shutdown may have begun, or others have come, meanwhile.
        const late = earlyRefusal();
        if (late === undefined) proceed(answer);
        else turnBack(late);
      },
      () => turnBack({ code: 1011, reason: 'authentication failed' }),
    );
  });

  /** What is asked of others: whether the ticket was not used, and then the application. Never rejects. */
  async function lastRefusal(
    { principal, ticket }: NativeAuthenticated,
    id: string,
    request: IncomingMessage,
    connection: Duplex,
  ): Promise<Refusal | undefined> {
    if (ticket !== undefined) {
      const isFirst = await deps.redeem(ticket).catch(() => undefined);
      if (isFirst === undefined) return { code: 1013, reason: 'ticket not checked', word: 'unavailable' };
      if (!isFirst) return { code: 4401, reason: 'used ticket' };
    }
    if (deps.admit === undefined) return undefined;
    const gone = new AbortController();
    const abort = (): void => gone.abort();
    connection.once('close', abort);
    const refusal = await deps.admit({ socket: id, principal }, connectRequest(request), gone.signal);
    connection.off('close', abort);
    if (refusal === undefined) return undefined;
    const { code } = refusal;
    return { code: CLOSE_OF[code] ?? 1013, reason: `application: ${code}`, word: code };
  }

  function check(
    authenticated: Either.Either<AuthError, NativeAuthenticated>,
  ): Either.Either<Refusal, NativeAuthenticated> {
    if (Either.isLeft(authenticated)) {
      const { status, reason } = authenticated.left;
      // Another token would help nobody.
      if (status === 503) return Either.left({ code: 1013, reason, word: 'unavailable' });
      return Either.left({ code: status === 403 ? 4403 : 4401, reason });
    }
    return deps.hasTooMany(authenticated.right.principal) ? Either.left(LIMIT) : authenticated;
  }

  function tooSoon(request: IncomingMessage): Refusal | undefined {
    const retryAfterMs = deps.tooSoonMs(request);
    return retryAfterMs > 0 ? { code: 4429, reason: 'too many connects', retryAfterMs } : undefined;
  }

  function earlyRefusal(): Refusal | undefined {
    const unavailable = deps.unavailable();
    if (unavailable !== undefined) {
      return { code: unavailable === 'draining' ? 1001 : 1012, reason: unavailable };
    }
    return deps.isFull() ? LIMIT : undefined;
  }

  function refusalNow(principal: NativePrincipal): Refusal | undefined {
    return earlyRefusal() ?? (deps.hasTooMany(principal) ? LIMIT : undefined);
  }

  function refuse(request: IncomingMessage, socket: WebSocket, refusal: Refusal): void {
    const { code, reason, word = CLOSES[code].reason } = refusal;
    deps.metrics.count(refusal === LIMIT ? 'ws_connection_rejected' : 'ws_upgrade_rejected');
    deps.onRefused({ status: code, reason, address: request.socket.remoteAddress });
    if (refusal.retryAfterMs !== undefined) socket.send(tooSoonFrame(refusal.retryAfterMs));
    turnAway(socket, code, word);
  }

  function refuseHttp(request: IncomingMessage, connection: Duplex, reason: string): void {
    deps.metrics.count('ws_upgrade_rejected');
    deps.onRefused({ status: 400, reason, address: request.socket.remoteAddress });
    refuseUpgrade(connection, 400, 'bad request');
  }
}

/** How a client is told what the application says of it; anything else may be otherwise later. */
const CLOSE_OF: Readonly<Partial<Record<ErrorCode, CloseCode>>> = {
  forbidden: 4403,
  unauthorized: 4401,
  rate_limited: 4429,
  internal: 1011,
};

const ORIGIN: Refusal = { code: 4403, reason: 'origin' };
const LIMIT: Refusal = { code: 1013, reason: 'limit' };

function tooSoonFrame(retryAfter: number): string {
  const { sentence } = ERRORS.rate_limited;
  return encodeServerFrame({ type: 'error', code: 'rate_limited', message: sentence, retryAfter });
}
