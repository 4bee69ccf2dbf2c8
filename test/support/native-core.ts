import { type Actors, type ActorsDeps, createActors } from '../../src/actors/actors.ts';
import type { Report } from '../../src/actors/report.ts';
import type { OpenSocket } from '../../src/actors/open-socket.ts';
import type { Sockets } from '../../src/actors/sockets.ts';
import type { NativePrincipal } from '../../src/auth/native-principal.ts';
import { verifyRefresh } from '../../src/auth/native-token.ts';
import { createMemoryBroker, type MemoryBroker } from '../../src/broker/memory/memory-broker.ts';
import type { NativeLog } from '../../src/broker/ports.ts';
import { createAfter } from '../../src/clock.ts';
import { Journal } from '../../src/journal/journal.ts';
import type { ServerFrame } from '../../src/protocol/native/server-frame.ts';
import { NativeSession, type SessionRules } from '../../src/protocol/native/session.ts';
import { Sessions } from '../../src/protocol/native/sessions.ts';
import { nativeProtocol } from '../../src/protocol/native/socket-rules.ts';
import type { SsePosition } from '../../src/protocol/native/sse-position.ts';
import { sseFramesProtocol } from '../../src/protocol/native/sse-rules.ts';
import { StreamSession } from '../../src/protocol/native/stream-session.ts';
import { openNative } from '../../src/transport/native-opening.ts';
import { actorsDeps } from './actors-deps.ts';
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

/** One stream of native events, seen from its client. */
export interface NativeStream {
  readonly transport: SimulatedTransport;
  readonly session: StreamSession;
}

export interface NativeCore {
  readonly clock: HeapClock;
  readonly broker: MemoryBroker;
  readonly metrics: CountingMetrics;
  readonly actors: Actors;
  readonly journal: Journal;
  /** Those that are open. */
  readonly sessions: Sessions;
  readonly bugs: unknown[];
  start(): Promise<void>;
  connect(options?: {
    readonly as?: NativePrincipal;
    readonly onFrame?: (frame: Heard) => void;
  }): NativeConnection;
  /** A stream of frames. */
  openStream(options: {
    readonly as?: NativePrincipal;
    readonly channels: readonly string[];
    readonly position: SsePosition | undefined;
    readonly onBlocks: (text: string) => void;
  }): NativeStream;
  publish(channel: string, data?: unknown, snapshot?: boolean): Promise<string>;
}

export interface NativeCoreOptions {
  /** Of an installation of several, which share them; left out: its own. */
  readonly shared?: { readonly clock: HeapClock; readonly broker: MemoryBroker };
  readonly rules?: Partial<SessionRules>;
  readonly deps?: Partial<ActorsDeps>;
  readonly history?: Parameters<typeof createMemoryBroker>[0]['history'];
  /** Stands before the log: answers may take their time. */
  readonly log?: (log: NativeLog, clock: HeapClock) => NativeLog;
  /** Left out: nobody's token is. */
  readonly isRevoked?: (principal: NativePrincipal) => boolean;
  readonly onEpochChanged?: () => void;
}

/** All of the native protocol on the embedded broker under a simulated clock, but for ws and HTTP. */
export function createNativeCore(options: NativeCoreOptions = {}): NativeCore {
  const clock = options.shared?.clock ?? new HeapClock(NOW_MS);
  const metrics = new CountingMetrics();
  const history = { maxLength: 1_000, maxAgeSeconds: 86_400, firehoseMaxLength: 10_000, ...options.history };
  const broker = options.shared?.broker ?? createMemoryBroker({ clock, history });
  const sessions = new Sessions();
  const access = { isRevoked: options.isRevoked ?? (() => false) };
  const bugs: unknown[] = [];
  const bug = (error: unknown): void => void bugs.push(error);
  const epoch = (): string => actors.routing.fanOut.epoch;
  const base = actorsDeps({
    clock,
    metrics,
    log: options.log?.(broker.native, clock) ?? broker.native,
    protocol: nativeProtocol({ onRepaired() {} }),
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
      readerDeaf: bug,
      readerHearing() {},
      canaryRefused: bug,
      epochChanged: () => options.onEpochChanged?.(),
    } satisfies Report,
  });
  const { framing } = base;
  const journal = new Journal({
    now: clock.now,
    instance: () => 'here',
    keepMs: Number.MAX_SAFE_INTEGER,
    maxSockets: Number.MAX_SAFE_INTEGER,
  });
  const deps: ActorsDeps = {
    ...base,
    prefix: 'native/',
    journal,
    formats: [{ name: 'frames', protocol: sseFramesProtocol({ epoch, onRepaired() {} }), framing }],
    ...options.deps,
  };
  const actors: Actors = createActors(deps);
  const { budget } = actors.routing;
  const rules: SessionRules = {
    pingIntervalMs: 20_000,
    maxSubscriptions: 5,
    framesPerSecond: 50,
    asksInFlight: 3,
    askTimeoutMs: 5_000,
    decider: {},
    after: createAfter(clock),
    now: clock.now,
    epoch,
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
    journal,
    sessions,
    bugs,
    async start() {
      actors.start();
      await settled();
    },
    connect({ as = principal, onFrame } = {}) {
      const frames: Heard[] = [];
      let transport: SimulatedTransport | undefined;
      let socket: OpenSocket | undefined;
      const { session } = openNative<NativeSession>({
        sockets: actors.sockets,
        sessions,
        access,
        id: deps.newId(),
        principal: as,
        transport: 'websocket',
        address: '192.0.2.1',
        connect(listener) {
          transport = new SimulatedTransport(budget, listener, (bytes) => {
            const frame = JSON.parse(bytes.toString()) as Heard;
            frames.push(frame);
            onFrame?.(frame);
          });
          return transport;
        },
        converse(opened) {
          socket = opened;
          return new NativeSession(opened, as, rules);
        },
      });
      const connection = transport as unknown as SimulatedTransport;
      const sayBytes = (bytes: Buffer): void => {
        if (!connection.isClosed) session.receive(bytes, false);
      };
      return {
        transport: connection,
        socket: socket as unknown as OpenSocket,
        session,
        frames,
        say: (frame) => sayBytes(Buffer.from(JSON.stringify(frame))),
        sayBytes: (bytes) => session.receive(bytes, true),
        async hear() {
          await settled();
          connection.flush();
          await settled();
          return frames.splice(0);
        },
      };
    },
    openStream({ as = principal, channels, position, onBlocks }) {
      let transport: SimulatedTransport | undefined;
      const streamRules = { ...rules, random: deps.random };
      const { session, isRevoked } = openNative<StreamSession>({
        sockets: actors.streams[0] as Sockets,
        sessions,
        access,
        id: deps.newId(),
        principal: as,
        transport: 'sse',
        address: '192.0.2.1',
        connect(listener) {
          transport = new SimulatedTransport(budget, listener, (bytes) => onBlocks(bytes.toString()));
          return transport;
        },
        converse: (opened) =>
          new StreamSession(opened, as, streamRules, {
            form: 'frames',
            wishes: channels.map((channel) => ({ channel })),
            position,
          }),
      });
      if (!isRevoked) session.begin();
      return { transport: transport as unknown as SimulatedTransport, session };
    },
    async publish(channel, data = null, snapshot = false) {
      const bytes = Buffer.from(JSON.stringify(data));
      const [outcome] = await broker.native.publishEvents([{ channel, topic: 't', data: bytes, snapshot }]);
      await settled();
      return (outcome as { id: string }).id;
    },
  };
}
