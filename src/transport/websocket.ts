import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import * as Either from 'fp-ts/lib/Either.js';
import type { WebSocket } from 'ws';
import type { AuthError } from '../auth/auth-error.ts';
import type { Principal } from '../auth/principal.ts';
import type { BufferBudget } from '../routing/buffer-budget.ts';
import type { TransportListener } from '../routing/transport.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { ClientAddress } from './client-address.ts';
import { refuseUpgrade } from './refusal.ts';
import { checkTarget } from './request-target.ts';
import { createUpgradeServers } from './upgrade-servers.ts';
import { WebSocketTransport } from './websocket-transport.ts';

/** A client that was let in. */
export interface Accepted<P extends Principal = Principal> {
  readonly principal: P;
  /** What it asked for: the raw request target. */
  readonly target: string;
  /** Where it comes from. */
  readonly address: string;
  connect(id: string, listener: TransportListener & { violated(): void }): WebSocketTransport;
}

export interface WebSocketsDeps<P extends Principal = Principal> {
  readonly server: Server;
  /** Whether somebody else takes this upgrade. */
  isForeign(request: IncomingMessage): boolean;
  /** Undefined: upgrades are accepted; else the word they are refused with, and 503. */
  unavailable(): 'draining' | 'not ready' | undefined;
  /** Whether a WebSocket is served here at all, asked this way. */
  isServed(request: IncomingMessage): boolean;
  /** Counts an upgrade: 0, or after how many milliseconds its address may ask again. */
  tooSoonMs(request: IncomingMessage): number;
  isAllowedOrigin(request: IncomingMessage): boolean;
  authenticate(request: IncomingMessage): Either.Either<AuthError, P>;
  /** The text of the limit on all sockets, when it is reached: asked before anything is read of the client. */
  totalReached(): string | undefined;
  /** The text of the limit on the client's own channel, when it is reached. */
  channelReached(principal: P): string | undefined;
  open(accepted: Accepted<P>): void;
  readonly addressOf: ClientAddress;
  readonly budget: BufferBudget;
  readonly metrics: Metrics;
  readonly maxFrameBytes: number;
  /** Whether clients that offer permessage-deflate get compressed frames. */
  readonly isCompressing: boolean;
  readonly now: () => number;
  readonly onRefused: (refusal: { status: number; reason: string; address: string | undefined }) => void;
}

interface Refusal {
  readonly status: number;
  readonly word: string;
  /** What the log says. */
  readonly reason: string;
  readonly retryAfterMs?: number;
}

const TOO_SOON: Refusal = { status: 429, word: 'too many requests', reason: 'too many connects' };
/** Superset's clients have nothing to say. */
const INBOUND = { frames: 100, perMs: 10_000 };
const LIMIT_CODE = 1013;
/** How long one that is turned away after the upgrade may take to go: it is not counted any more. */
const REJECTED_TIMEOUT_MS = 2_000;

/** Takes upgrades off an HTTP server: what must not become a socket is refused, cheapest check first. */
export function acceptWebSockets<P extends Principal>(deps: WebSocketsDeps<P>): void {
  const serverFor = createUpgradeServers({
    maxFrameBytes: deps.maxFrameBytes,
    isCompressing: deps.isCompressing,
    refuse: (request, connection) =>
      refuse(connection, request, { status: 400, word: 'bad request', reason: 'bad handshake' }),
  });
  deps.server.on('upgrade', (request: IncomingMessage, connection: Duplex, head: Buffer) => {
    if (deps.isForeign(request)) return;
    destroyOnError(connection);
    const refuseWith = (status: number, word: string, reason: string = word): void =>
      refuse(connection, request, { status, word, reason });
    const target = request.url ?? '';
    const isWebSocket = request.headers.upgrade?.toLowerCase() === 'websocket';
    if (!isWebSocket || checkTarget(target) === undefined || !deps.isServed(request)) {
      return refuseWith(400, 'bad request');
    }
    const unavailable = deps.unavailable();
    if (unavailable !== undefined) return refuseWith(503, unavailable);
    const waitMs = deps.tooSoonMs(request);
    if (waitMs > 0) return refuse(connection, request, { ...TOO_SOON, retryAfterMs: waitMs });
    const total = deps.totalReached();
    if (total !== undefined) {
      serverFor(request).handleUpgrade(request, connection, head, (socket) => rejectByLimit(socket, total));
      return;
    }
    if (!deps.isAllowedOrigin(request)) return refuseWith(403, 'origin');
    const authenticated = deps.authenticate(request);
    if (Either.isLeft(authenticated)) {
      const { status, word, reason } = authenticated.left;
      return refuseWith(status, word, reason);
    }
    const principal = authenticated.right;
    serverFor(request).handleUpgrade(request, connection, head, (socket) => {
      const reached = deps.channelReached(principal);
      if (reached !== undefined) return rejectByLimit(socket, reached);
      deps.open({
        principal,
        target,
        address: deps.addressOf(request),
        connect: (id, listener) =>
          new WebSocketTransport({ id, socket, connection, listener, inbound: INBOUND, ...deps }),
      });
    });
  });

  function refuse(
    connection: Duplex,
    request: IncomingMessage,
    { status, word, reason, retryAfterMs }: Refusal,
  ): void {
    deps.metrics.count('ws_upgrade_rejected');
    deps.onRefused({ status, reason, address: request.socket.remoteAddress });
    refuseUpgrade(connection, status, word, retryAfterMs);
  }

  function rejectByLimit(socket: WebSocket, reason: string): void {
    deps.metrics.count('ws_connection_rejected');
    turnAway(socket, LIMIT_CODE, reason);
  }
}

/** Closes what was upgraded only to be told why it may not be here. */
export function turnAway(socket: WebSocket, code: number, reason: string): void {
  socket.on('error', () => {});
  socket.close(code, reason);
  setTimeout(() => socket.terminate(), REJECTED_TIMEOUT_MS).unref();
}

/** Not a closure of the upgrade: it would keep the request, headers and all, for as long as the socket lives. */
function destroyConnection(this: Duplex): void {
  this.destroy();
}

/** Ends a connection that breaks while its upgrade is decided; without a listener its error would reach the process. */
export function destroyOnError(connection: Duplex): void {
  connection.on('error', destroyConnection);
}
