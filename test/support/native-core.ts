import { type Actors, createActors, type Report } from '../../src/actors/actors.ts';
import type { OpenSocket } from '../../src/actors/open-socket.ts';
import type { NativePrincipal } from '../../src/auth/native-principal.ts';
import { verifyRefresh } from '../../src/auth/native-token.ts';
import { createMemoryBroker, type MemoryBroker } from '../../src/broker/memory/memory-broker.ts';
import type { NativeLog } from '../../src/broker/ports.ts';
import { userChannel } from '../../src/protocol/native/names.ts';
import type { ServerFrame } from '../../src/protocol/native/server-frame.ts';
import { NativeSession, type SessionRules } from '../../src/protocol/native/session.ts';
import { nativeProtocol } from '../../src/protocol/native/socket-rules.ts';
import { Registry } from '../../src/routing/registry.ts';
import { CountingMetrics } from './counting-metrics.ts';
import { HeapClock, settled } from './heap-clock.ts';
import { NOW_MS, principal, rules as tokenRules } from './native-auth.ts';
import { SimulatedTransport } from './simulated-transport.ts';

/** A frame as its client reads it. */
export type Heard = ServerFrame & { readonly ref?: number; readonly channel?: string; readonly id?: string };

/** One connection of the native protocol, seen from its client. */
export interface NativeConnection {
  readonly transport: SimulatedTransport;
  readonly socket: OpenSocket;
  readonly session: NativeSession;
  readonly frames: Heard[];
  say(frame: unknown): void;
  sayBytes(bytes: Buffer): void;
  /** What came, and is forgotten then. */
  hear(): Promise<Heard[]>;
}

export interface NativeCore {
  readonly clock: HeapClock;
  readonly broker: MemoryBroker;
  readonly metrics: CountingMetrics;
  readonly actors: Actors;
  readonly bugs: unknown[];
  start(): Promise<void>;
  connect(options?: {
    readonly as?: NativePrincipal;
    readonly onFrame?: (frame: Heard) => void;
  }): NativeConnection;
  publish(channel: string, data?: unknown, snapshot?: boolean): Promise<string>;
}

export interface NativeCoreOptions {
  readonly rules?: Partial<SessionRules>;
  readonly deps?: Partial<Parameters<typeof createActors>[0]>;
  readonly history?: Parameters<typeof createMemoryBroker>[0]['history'];
  /** Stands before the log: answers may take their time. */
  readonly log?: (log: NativeLog, clock: HeapClock) => NativeLog;
}

/** All of the native protocol on the embedded broker under a simulated clock, but for ws. */
export function createNativeCore(options: NativeCoreOptions = {}): NativeCore {
  const clock = new HeapClock(NOW_MS);
  const metrics = new CountingMetrics();
  const history = { maxLength: 1_000, maxAgeSeconds: 86_400, firehoseMaxLength: 10_000, ...options.history };
  const broker = createMemoryBroker({ clock, history });
  const bugs: unknown[] = [];
  const bug = (error: unknown): void => void bugs.push(error);
  let sockets = 0;
  const actors = createActors({
    registry: new Registry({ clock, inspect: undefined }),
    prefix: 'native/',
    clock,
    metrics,
    log: options.log?.(broker.native, clock) ?? broker.native,
    protocol: nativeProtocol({ onRepaired() {} }),
    feed: { kind: 'firehose' },
    framing: { headroom: 0, frame: (text) => text },
    random: () => 0.5,
    newId: () => `s${sockets++}`,
    later: (run) => void setImmediate(run),
    limits: {
      window: { maxEvents: 1_000, maxBytes: 1_000_000, maxAgeMs: 3_600_000 },
      maxSocketBufferBytes: 10_000,
      maxTotalBufferBytes: 1_000_000,
      replays: 4,
      replaySlackMs: 0,
    },
    reads: { count: 100, blockMs: 5_000, pauseMs: 0 },
    times: {
      handshakeTimeoutMs: 10_000,
      pingIntervalMs: 20_000,
      responseTimeoutMs: 60_000,
      slowConsumerTimeoutMs: 30_000,
      closeTimeoutMs: 2_000,
    },
    gcIntervalMs: 3_600_000,
    report: {
      malformed: bug,
      routeFailed: bug,
      socketFailed: bug,
      channelFailed: bug,
      crashed: bug,
      replayFailed() {},
      channelRefused: bug,
      readerLive() {},
      readerStale() {},
      epochChanged() {},
    } satisfies Report,
    ...options.deps,
  });
  const rules: SessionRules = {
    pingIntervalMs: 20_000,
    maxSubscriptions: 5,
    framesPerSecond: 50,
    asksInFlight: 3,
    askTimeoutMs: 5_000,
    decider: {},
    after(ms, run) {
      const timer = clock.setTimeout(run, ms);
      return () => clock.clearTimeout(timer);
    },
    now: clock.now,
    epoch: () => actors.routing.fanOut.epoch,
    async publish(publication) {
      const [outcome] = await broker.native.publishEvents([publication]);
      return outcome !== undefined && 'id' in outcome ? outcome : { refused: 'unavailable' };
    },
    refresh: (token, of) => verifyRefresh(token, of, tokenRules),
    ...options.rules,
  };

  return {
    clock,
    broker,
    metrics,
    actors,
    bugs,
    async start() {
      actors.start();
      await settled();
    },
    connect({ as = principal, onFrame } = {}) {
      const frames: Heard[] = [];
      let transport: SimulatedTransport | undefined;
      let session: NativeSession | undefined;
      const socket = actors.sockets.accept({
        channel: userChannel(as.user),
        onReleased: (reason) => session?.closed(reason),
        connect(_, listener) {
          transport = new SimulatedTransport(actors.routing.budget, listener, (bytes) => {
            const frame = JSON.parse(bytes.toString()) as Heard;
            frames.push(frame);
            onFrame?.(frame);
          });
          return transport;
        },
      });
      session = new NativeSession(socket, as, rules);
      const connection = transport as unknown as SimulatedTransport;
      const sayBytes = (bytes: Buffer): void => {
        if (!connection.isClosed) session?.receive(bytes, false);
      };
      return {
        transport: connection,
        socket,
        session,
        frames,
        say: (frame) => sayBytes(Buffer.from(JSON.stringify(frame))),
        sayBytes: (bytes) => session?.receive(bytes, true),
        async hear() {
          await settled();
          connection.flush();
          await settled();
          return frames.splice(0);
        },
      };
    },
    async publish(channel, data = null, snapshot = false) {
      const bytes = Buffer.from(JSON.stringify(data));
      const [outcome] = await broker.native.publishEvents([{ channel, topic: 't', data: bytes, snapshot }]);
      await settled();
      return (outcome as { id: string }).id;
    },
  };
}
