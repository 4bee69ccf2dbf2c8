import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { OpenSocket } from '../actors/open-socket.ts';
import type { NativeAccess } from '../auth/native-access.ts';
import type { Clock } from '../clock.ts';
import type { Sessions } from '../protocol/native/sessions.ts';
import { parseSsePosition, ssePosition } from '../protocol/native/sse-position.ts';
import { retryMs } from '../protocol/native/sse-rules.ts';
import { sseBlock } from '../protocol/native/sse-text.ts';
import { beginningOf } from '../routing/subscriptions.ts';
import type { ClientAddress } from './client-address.ts';
import type { ConnectLimit } from './connect-limit.ts';
import { RouteReader } from './route-reader.ts';
import { beginStream, isEventStream, refuseForNow } from './sse-response.ts';
import { Silence } from './silence.ts';
import { SseTransport } from './sse-transport.ts';
import type { OpenRouteStream, RouteStream } from './stream-routes.ts';

export interface RouteStreamsDeps {
  readonly clock: Clock;
  readonly random: () => number;
  readonly access: Pick<NativeAccess, 'isRevoked'>;
  /** Where those who came by a token are found when it is revoked. */
  readonly sessions: Pick<Sessions, 'addReader' | 'removeReader'>;
  /** Undefined: streams are opened. */
  unavailable(): string | undefined;
  /** Whether there are as many sockets as may be. */
  isFull(): boolean;
  readonly connectLimit: ConnectLimit;
  readonly addressOf: ClientAddress;
  readonly onRefused: (refusal: { reason: string; address: string | undefined }) => void;
}

/** Makes what opens the streams of routes: sockets that only listen, whoever stands behind them. */
export function createRouteStreams(deps: RouteStreamsDeps): OpenRouteStream {
  const { clock, random, access, sessions } = deps;

  return (request, response, stream) => {
    const { actors, channels, isRaw, headers = {}, prelude, lastEventId, keepAlive, principal } = stream;
    const waitMs = deps.connectLimit(request);
    // What would wait for the answer to another request has no connection to write to, and may not get one.
    const isBehind = response.socket === null;
    const refused =
      refusalOf(stream) ?? (waitMs > 0 ? 'too many connects' : isBehind ? 'pipelined' : undefined);
    if (refused !== undefined)
      return refuse(request, response, { reason: refused, headers, waitMs, fallback: stream.fallback });
    // Its end would be heard by nobody any more.
    if (request.socket.destroyed) return;
    const connection = beginStream(response, headers);
    const isNative = actors.streams.length > 0;
    let silence: Silence | undefined;
    let reader: RouteReader | undefined;
    const socket = socketsOf(stream).accept({
      channel: channels[0] as string,
      peer: {
        transport: isRaw ? 'raw' : 'sse',
        protocol: isNative ? 'native' : 'pubsub',
        user: principal?.user,
        session: principal?.session,
        address: deps.addressOf(request),
      },
      connect: (_, listener) => {
        const { budget } = actors.routing;
        const onEvents = keepAlive && (() => silence?.break());
        return new SseTransport({ connection, listener, budget, onEvents });
      },
      onReleased() {
        silence?.end();
        if (reader !== undefined) sessions.removeReader(reader);
      },
    });
    if (principal !== undefined) {
      reader = new RouteReader(socket, principal, isNative ? channels : []);
      sessions.addReader(reader);
      // After it can be found: a revocation that comes from now on ends it, one that came before is seen here.
      if (access.isRevoked(principal)) return void reader.end();
    }
    // Small, and before anything that waits: it was sent with the answer that this stream is.
    if (prelude !== undefined && prelude.length > 0) connection.write(prelude);
    begin(socket, stream, lastEventId);
    if (keepAlive !== undefined) {
      const { content, afterMs } = keepAlive;
      silence = new Silence({ clock, afterMs, fell: () => void socket.delivery.say(content) });
    }
  };

  function begin(
    socket: Pick<OpenSocket, 'delivery' | 'opened'>,
    { channels, isRaw, lifetimeMs, actors, headers }: RouteStream,
    lastEventId: string | undefined,
  ): void {
    const { delivery } = socket;
    socket.opened(lifetimeMs === undefined ? undefined : Math.max(0, lifetimeMs));
    // An application may hold a stream of another type, in which that would be no line of ours.
    if (!isRaw && isEventStream(headers ?? {})) delivery.say(sseBlock({ retry: retryMs(random) }));
    const position = lastEventId === undefined ? undefined : parseSsePosition(lastEventId);
    // Only of native channels is it known whether everything can be given.
    const isNative = actors.streams.length > 0;
    const subscription = delivery.join(
      channels,
      position?.id,
      isNative ? { epoch: position?.epoch, greet } : undefined,
    );
    delivery.begin();

    /** Who is cut off before the first event must know where that would have been. */
    function greet(recovered: boolean): boolean {
      // A gap says it itself: who was cut off before it would come back behind it.
      if (!recovered) return true;
      const id = beginningOf(subscription);
      delivery.say(sseBlock({ id: ssePosition(actors.routing.fanOut.epoch, id) }));
      return true;
    }
  }

  function refusalOf({ actors }: RouteStream): string | undefined {
    const isNative = actors.streams.length > 0;
    if (isNative && !actors.isAccepting()) return 'not ready';
    return deps.unavailable() ?? (deps.isFull() ? 'limit' : undefined);
  }

  function refuse(
    request: IncomingMessage,
    response: ServerResponse,
    refusal: {
      readonly reason: string;
      readonly headers: OutgoingHttpHeaders;
      readonly waitMs: number;
      readonly fallback: Buffer | undefined;
    },
  ): void {
    const { reason, headers, fallback } = refusal;
    deps.onRefused({ reason, address: request.socket.remoteAddress });
    if (fallback !== undefined) {
      const about = { 'cache-control': 'private, no-store', 'content-length': String(fallback.length) };
      response.writeHead(200, { ...headers, ...about }).end(fallback);
      return;
    }
    const waitMs = Math.max(refusal.waitMs, retryMs(random));
    if (isEventStream(headers)) return refuseForNow(response, headers, waitMs);
    response
      .writeHead(503, { 'retry-after': String(Math.ceil(waitMs / 1_000)), 'content-length': '0' })
      .end();
  }
}

/** Of native channels in the form for EventSource; plain ones have no other. */
function socketsOf({ actors }: RouteStream) {
  return actors.streams[0] ?? actors.sockets;
}
