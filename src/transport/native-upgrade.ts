import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import * as Either from 'fp-ts/lib/Either.js';
import type { WebSocket } from 'ws';
import type { AuthError } from '../auth/auth-error.ts';
import type { NativeAuthenticated } from '../auth/native-authenticate.ts';
import type { NativePrincipal } from '../auth/native-principal.ts';
import { CLOSES, type CloseCode } from '../protocol/native/close-codes.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { refuseUpgrade } from './refusal.ts';
import { checkTarget } from './request-target.ts';
import { createUpgradeServers } from './upgrade-servers.ts';
import { destroyOnError, turnAway } from './websocket.ts';

export const NATIVE_PROTOCOL = 'signalbox.v1';

/** A client that was let in, upgraded. */
export interface NativeAccepted {
  readonly principal: NativePrincipal;
  readonly socket: WebSocket;
  readonly connection: Duplex;
}

export interface NativeUpgradeDeps {
  readonly server: Server;
  /** Whether this host is served at all. */
  isServed(request: IncomingMessage): boolean;
  /** Undefined: upgrades are accepted. */
  unavailable(): 'draining' | 'not ready' | undefined;
  /** Whether there are as many sockets as may be. */
  isFull(): boolean;
  /** Asked before the token is verified: whose page this is says the origin, and what kind of credential it brings. */
  isAllowedOrigin(request: IncomingMessage): boolean;
  authenticate(request: IncomingMessage): Either.Either<AuthError, NativeAuthenticated>;
  /** Whether this user has as many sockets as it may. */
  hasTooMany(principal: NativePrincipal): boolean;
  /** Uses a ticket up; false: it was used before. Rejects when nobody can say. */
  redeem(ticket: NonNullable<NativeAuthenticated['ticket']>): Promise<boolean>;
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
    refuse: (request, connection) => refuseHttp(request, connection, 'bad handshake'),
  });
  deps.server.on('upgrade', (request: IncomingMessage, connection: Duplex, head: Buffer) => {
    if (!isNativeUpgrade(request)) return;
    destroyOnError(connection);
    const isWebSocket = request.headers.upgrade?.toLowerCase() === 'websocket';
    if (!isWebSocket || checkTarget(request.url ?? '') === undefined || !deps.isServed(request)) {
      return refuseHttp(request, connection, 'bad request');
    }
    const complete = (then: (socket: WebSocket) => void): void =>
      serverFor(request).handleUpgrade(request, connection, head, then);
    const settle = (refusal: Refusal | undefined, principal: NativePrincipal | undefined): void =>
      complete((socket) => {
        if (refusal !== undefined) return refuse(request, socket, refusal);
        deps.open({ principal: principal as NativePrincipal, socket, connection });
      });
    const checked = check(request);
    if (Either.isLeft(checked)) return settle(checked.left, undefined);
    const { principal, ticket } = checked.right;
    if (ticket === undefined) return settle(undefined, principal);
    deps.redeem(ticket).then(
      // Others may have come while the broker was asked.
      (isFirst) => settle(isFirst ? refusalNow(principal) : { code: 4401, reason: 'used ticket' }, principal),
      () => settle({ code: 1013, reason: 'ticket not checked', word: 'unavailable' }, undefined),
    );
  });

  function check(request: IncomingMessage): Either.Either<Refusal, NativeAuthenticated> {
    const early = earlyRefusal();
    if (early !== undefined) return Either.left(early);
    if (!deps.isAllowedOrigin(request)) return Either.left({ code: 4403, reason: 'origin' });
    const authenticated = deps.authenticate(request);
    if (Either.isLeft(authenticated)) {
      const { status, reason } = authenticated.left;
      return Either.left({ code: status === 403 ? 4403 : 4401, reason });
    }
    const { principal } = authenticated.right;
    if (deps.hasTooMany(principal)) return Either.left(LIMIT);
    return authenticated;
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
    turnAway(socket, code, word);
  }

  function refuseHttp(request: IncomingMessage, connection: Duplex, reason: string): void {
    deps.metrics.count('ws_upgrade_rejected');
    deps.onRefused({ status: 400, reason, address: request.socket.remoteAddress });
    refuseUpgrade(connection, 400, 'bad request');
  }
}

const LIMIT: Refusal = { code: 1013, reason: 'limit' };
