import { randomUUID } from 'node:crypto';
import { createFeeds } from './actors/feeds.ts';
import { createSystemLogic } from './actors/system.ts';
import type { AuthenticateByApplication } from './auth/native-access.ts';
import { createBroker } from './broker/broker.ts';
import { createPubSubServers } from './broker/pubsub-servers.ts';
import { systemClock } from './clock.ts';
import type { LoadedConfig } from './config/loaded.ts';
import { combined } from './decider/combined.ts';
import type { Decider } from './decider/decider.ts';
import { createHooks } from './decider/hooks.ts';
import { createDemo } from './demo/demo.ts';
import { createInstances } from './instances/create-instances.ts';
import type { Instances } from './instances/instances.ts';
import { Sessions } from './protocol/native/sessions.ts';
import { Journal } from './journal/journal.ts';
import { Registry } from './routing/registry.ts';
import { createPublishing, type Publishing } from './publishing.ts';
import { createPanel } from './panel.ts';
import { createSurface } from './surface.ts';
import { TransitionLog } from './inspect/transition-log.ts';
import { packageVersion } from './version.ts';
import { createLogLimit } from './telemetry/log-limit.ts';
import type { Logger } from './telemetry/logger.ts';
import { createReport } from './telemetry/report.ts';
import { createTracing } from './telemetry/tracing.ts';
import { measureSystem } from './telemetry/measuring.ts';
import { createTelemetry, type MeasuringCompany, type Telemetry } from './telemetry/telemetry.ts';
import { createCompressingFraming } from './transport/compression.ts';
import { messageFraming, webSocketFraming } from './transport/frames.ts';
import { addressOf, embed, type Host } from './transport/embedding.ts';
import type { Http } from './transport/http.ts';

/** Where a server listens. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** A server, from start to end. */
export interface System {
  /** Resolves with where it listens, or its host does; rejects when the port cannot be bound. */
  start(): Promise<Address>;
  /** Drains and ends it; resolves when it has ended. */
  stop(): Promise<void>;
  /** Whether this process reads, and does not drain. */
  isReady(): boolean;
  /** The exit code it ended with. */
  readonly ended: Promise<number>;
  readonly publishing: Publishing;
  readonly instances: Instances;
  /** What is noted of it; undefined: nothing is. */
  readonly journal: Journal | undefined;
  /** What it and all that serve with it measured, for who asks. */
  readonly metrics: Pick<Telemetry, 'scrape'>;
}

/** What a server is told and asked by what it is one worker of. */
export interface Company extends MeasuringCompany {
  /** Whether all other workers are ready: `/ready` is about all of them. */
  areOthersReady(): boolean;
}

/** The program that a server runs in. */
export interface Program {
  /** Where its sockets are found. */
  readonly sessions: Sessions;
  readonly decider: Decider;
  /** Who a request is of; undefined: its token says. */
  readonly authenticate: AuthenticateByApplication | undefined;
  /** What it is a guest of; undefined: it listens itself. */
  readonly host: Host | undefined;
  /** Native channels that have subscribers here, and have no more. */
  onChannelOpen(channel: string): void;
  onChannelClose(channel: string): void;
}

export interface SystemOptions {
  /** Left out: it is alone. */
  readonly company?: Company;
  /** Left out: it is a program of its own. */
  readonly program?: Program;
}

/** Beyond `drainMs`, for the last closing handshakes. */
const DRAIN_GRACE_MS = 3_000;

/** Wires a whole server of the configuration; nothing happens before `start`. */
export function createSystem(
  loaded: LoadedConfig,
  logger: Logger,
  { company, program }: SystemOptions = {},
): System {
  const { config } = loaded;
  const clock = systemClock;
  const limit = createLogLimit({ now: clock.now });
  const telemetry = createTelemetry({
    ...config.statsd,
    company,
    onError: (error) => limit.log('statsd', () => logger.warn({ err: error }, 'StatsD cannot be reached')),
  });
  const { metrics } = telemetry;
  const transitions = new TransitionLog(clock.now);
  const tracing = createTracing();
  const registry = new Registry({ clock });
  const onNote = (message: string): void => logger.warn({}, message);
  const broker = createBroker(loaded, { clock, onNote });
  const servers = createPubSubServers(loaded, broker, onNote);
  const hooks = createHooks({
    config: config.hooks,
    clock,
    logger,
    limit,
    metrics,
    newId: randomUUID,
    random: Math.random,
  });
  const decider = program === undefined ? hooks : combined(program.decider, hooks);
  const { enabled: isJournaled, ...kept } = config.inspect.journal;
  const journal = isJournaled
    ? new Journal({
        now: clock.now,
        instance: () => instances.id,
        keepMs: kept.keepSeconds * 1000,
        maxSockets: kept.maxSockets,
      })
    : undefined;
  const feeds = createFeeds({
    config,
    registry,
    clock,
    metrics,
    journal,
    traces: tracing,
    broker,
    servers,
    framing: config.compression.enabled
      ? createCompressingFraming(config.compression.thresholdBytes)
      : webSocketFraming,
    messageFraming,
    random: Math.random,
    newId: randomUUID,
    later: (run) => void setImmediate(run),
    ...(config.admin.enabled && {
      onStep: (name, event, from, to) => transitions.note(name, event, from, to),
    }),
    ...(program !== undefined && {
      onChannelOpen: program.onChannelOpen,
      onChannelClose: program.onChannelClose,
    }),
    report: (feed, server) =>
      createReport({
        logger: logger.child({ feed, ...(server !== undefined && { server }) }),
        limit,
        metrics,
        onCrash: (error) => actor?.send({ type: 'actor.crashed', error }),
        onEpochChanged: () => instances.brokerChanged(),
      }),
  });
  const sessions = program?.sessions ?? new Sessions();
  const instances = createInstances({
    config,
    broker,
    sessions,
    clock,
    metrics,
    logger,
    limit,
    isBeside: feeds.superset !== undefined,
  });
  const isMirrored = broker.name === 'memory' && config.superset.protocol === 'streams';
  const publishing = createPublishing({
    log: broker.native,
    mirror: isMirrored ? broker.log : undefined,
    logger,
    limit,
    tracing,
    newKey: randomUUID,
  });
  const demo = createDemo({
    config,
    logger,
    clock,
    publish: (channel, payload) => broker.log.append(channel, payload),
    isWatched: (channel) => (feeds.superset?.sockets.countOn(channel) ?? 0) > 0,
  });
  let isDraining = false;
  // Superset's clients need no other instance, and may be served by a user who may not hear them.
  const isReady = (): boolean =>
    !isDraining && feeds.isReady() && (feeds.superset !== undefined || instances.isReady());
  const isServerReady = (): boolean => isReady() && (company?.areOthersReady() ?? true);
  // Where Superset is served the broker's user may have no rights to our keys.
  const log = feeds.superset === undefined ? broker.native : broker.log;
  const measuring = measureSystem({ metrics, feeds, broker, log, clock, isReady: isServerReady });
  const panel = createPanel({
    loaded,
    clock,
    broker,
    feeds,
    instances,
    registry,
    metrics,
    journal,
    transitions,
    logger,
    limit,
    log,
    eventLoop: measuring.eventLoop,
    line: servers.at(''),
    version: packageVersion(),
    isReady,
    isDraining: () => isDraining,
    scrape: () => telemetry.scrape(),
  });
  let isStopped = false;
  let http: Http | undefined;
  let leaveHost: () => void = () => {};
  let address: Address | undefined;
  let onListening: (address: Address) => void = () => {};
  let onEnded: (exitCode: number) => void = () => {};
  const ended = new Promise<number>((resolve) => {
    onEnded = resolve;
  });

  const logic = createSystemLogic({
    startReader() {
      feeds.start();
      instances.start();
    },
    async listen() {
      await panel?.start();
      http = await createSurface({
        loaded,
        clock,
        broker,
        feeds,
        metrics,
        logger,
        limit,
        decider,
        authenticate: program?.authenticate,
        publishing,
        sessions,
        instances,
        page: program === undefined ? demo.page : undefined,
        // A program publishes by itself, and may be on a server that more than this machine comes to, behind a proxy
        // that looks like it.
        isKeyless: program === undefined && loaded.mode === 'development',
        basePath: program?.host === undefined || program.host.path === '/' ? '' : program.host.path,
        isReady: isServerReady,
        isDraining: () => isDraining,
      });
      if (isStopped) throw new Error('it was stopped before it listened');
      if (program?.host !== undefined) {
        leaveHost = embed(http.server, program.host);
        address = addressOf(program.host.server);
        return;
      }
      const { host, port } = config;
      address = await http.listen({ port, ...(host !== '' && { host }) });
    },
    onListening: () => onListening(address as Address),
    onDraining: () => {
      isDraining = true;
    },
    drain: () => feeds.drain(config.drainMs),
    async shutDown() {
      isStopped = true;
      demo.close();
      feeds.stop();
      measuring.close();
      leaveHost();
      await Promise.all([http?.close(), panel?.close(), instances.close()]);
      await decider.close?.();
      await Promise.all([servers.close(), broker.close(), telemetry.close()]);
    },
  });
  let actor: ReturnType<typeof registry.start<typeof logic>> | undefined;

  return {
    ended,
    isReady,
    publishing,
    instances,
    journal,
    metrics: telemetry,
    start: () =>
      new Promise((resolve, reject) => {
        onListening = resolve;
        const onEnd = (error: unknown): void => {
          const output = actor?.getSnapshot().output;
          reject(output?.error ?? error ?? new Error('it was stopped before it listened'));
          onEnded(error === undefined ? (output?.exitCode ?? 0) : 1);
        };
        const input = { drainTimeoutMs: config.drainMs + DRAIN_GRACE_MS };
        actor = registry.start(logic, { id: 'system', input, onEnd });
      }),
    async stop() {
      if (actor === undefined) onEnded(0);
      actor?.send({ type: 'system.stop' });
      await ended;
    },
  };
}
