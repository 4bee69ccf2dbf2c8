import {
  createNativeAccess,
  type NativeAccess,
  type NativeAccessDeps,
} from '../../src/auth/native-access.ts';
import { type StreamId, streamId } from '../../src/event/stream-id.ts';
import type { Control } from '../../src/transport/http-control.ts';
import type { EventsDeps } from '../../src/transport/http-events.ts';
import type { NativeHttpDeps } from '../../src/transport/http-native.ts';
import { noMetrics } from '../../src/telemetry/metrics.ts';
import { refuseForNow } from '../../src/transport/sse-response.ts';
import { NOW_MS } from './native-auth.ts';
import { SECRET } from './tokens.ts';
import { createClientAddress } from '../../src/transport/client-address.ts';

/** Who may come in, by the tokens of `native-auth.ts`; tickets are used up in here. */
export function nativeAccess(
  allowedOrigins: readonly string[] = [],
  isRevoked: NativeAccessDeps['isRevoked'] = () => false,
): NativeAccess {
  const used = new Set<string>();
  let tickets = 0;
  return createNativeAccess({
    config: {
      native: {
        audience: 'signalbox',
        cookieName: 'signalbox',
        prefix: 'signalbox:',
        maxTokenLifeSeconds: 2_592_000,
      },
      ticket: { ttlSeconds: 60 },
      jwtSecret: SECRET,
      previousJwtSecret: '',
      jwtAlgorithms: ['HS256'],
      allowedOrigins,
    },
    now: () => NOW_MS,
    newId: () => `ticket-${tickets++}`,
    isRevoked,
    claim: async (key) => {
      const isFirst = !used.has(key);
      used.add(key);
      return isFirst;
    },
  });
}

/** Nobody is there to be told or disconnected. */
export const noControl: Control = {
  tell: async () => {},
  end: async () => ({ closed: 0, unconfirmed: [] }),
};

/** What HTTP needs of the native protocol: a history of one event, trimmed before it. */
export function nativeHttp(allowedOrigins: readonly string[] = []): NativeHttpDeps {
  return {
    access: nativeAccess(allowedOrigins),
    now: () => NOW_MS,
    decider: {},
    newId: () => 's-1',
    asksInFlight: 2,
    askTimeoutMs: 100,
    after(ms, run) {
      const timer = setTimeout(run, ms);
      return () => clearTimeout(timer);
    },
    history: async (channel, after, limit) => ({
      events: [JSON.stringify({ type: 'event', channel, topic: 'message', id: '5-0', time: 5, data: limit })],
      next: streamId(5, 0),
      gap: after && { after, id: '4-18446744073709551615' as StreamId, reason: 'trimmed' },
      epoch: 'e1',
    }),
  };
}

/** Streams that end when they begin. */
export function endingStreams(): EventsDeps {
  return {
    access: nativeAccess(),
    streams: {
      hasTooMany: () => false,
      open: ({ response, headers }) => refuseForNow(response, headers, 1_000),
    },
    decider: {},
    maxChannels: 3,
    unavailable: () => undefined,
    isFull: () => false,
    addressOf: createClientAddress(false),
    connectLimit: () => 0,
    metrics: noMetrics,
    newId: () => 's-1',
    random: () => 0.5,
    basePath: '',
    onRefused() {},
  };
}
