import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { createFeeds } from './actors/feeds.ts';
import { createSystemLogic } from './actors/system.ts';
import { createBroker } from './broker/broker.ts';
import { systemClock } from './clock.ts';
import type { LoadedConfig } from './config/loaded.ts';
import { createDemo } from './demo/demo.ts';
import { Instances } from './instances/instances.ts';
import { createInstancesReport } from './instances/report.ts';
import { Sessions } from './protocol/native/sessions.ts';
import { Registry } from './routing/registry.ts';
import { createSurface } from './surface.ts';
import { startGauges } from './telemetry/gauges.ts';
import { createInspection } from './telemetry/inspection.ts';
import { createLogLimit } from './telemetry/log-limit.ts';
import type { Logger } from './telemetry/logger.ts';
import type { Metrics } from './telemetry/metrics.ts';
import { createReport } from './telemetry/report.ts';
import { createStatsd } from './telemetry/statsd.ts';
import { createCompressingFraming } from './transport/compression.ts';
import { webSocketFraming } from './transport/frames.ts';
import type { Http } from './transport/http.ts';

/** Where a server listens. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** A server, from start to end. */
export interface System {
  /** Resolves with where it listens; rejects when the port cannot be bound. */
  start(): Promise<Address>;
  /** Drains and ends it; resolves when it has ended. */
  stop(): Promise<void>;
  /** Whether this process reads, and does not drain. */
  isReady(): boolean;
  /** The exit code it ended with. */
  readonly ended: Promise<number>;
}

/** What a server is told and asked by what it is one worker of. */
export interface Company {
  /** Takes the gauges in the place of StatsD, where those of several processes would overwrite each other. */
  readonly gauge: Metrics['gauge'];
  /** Whether all other workers are ready: `/ready` is about all of them. */
  areOthersReady(): boolean;
}

/** Beyond `drainMs`, for the last closing handshakes. */
const DRAIN_GRACE_MS = 3_000;

/** Wires a whole server of the configuration; nothing happens before `start`. Without company it is alone. */
export function createSystem(loaded: LoadedConfig, logger: Logger, company?: Company): System {
  const { config } = loaded;
  const clock = systemClock;
  const limit = createLogLimit({ now: clock.now });
  const statsd = createStatsd({
    ...config.statsd,
    onError: (error) => limit.log('statsd', () => logger.warn({ err: error }, 'StatsD cannot be reached')),
  });
  const metrics = company === undefined ? statsd : { ...statsd, gauge: company.gauge };
  const inspection = createInspection({ stately: config.inspect.stately, logger, metrics });
  const registry = new Registry({ clock, inspect: inspection.inspect });
  const broker = createBroker(loaded, { clock, onNote: (message) => logger.warn({}, message) });
  const feeds = createFeeds({
    config,
    registry,
    clock,
    metrics,
    broker,
    framing: config.compression.enabled
      ? createCompressingFraming(config.compression.thresholdBytes)
      : webSocketFraming,
    random: Math.random,
    newId: randomUUID,
    later: (run) => void setImmediate(run),
    report: (feed) =>
      createReport({
        logger: logger.child({ feed }),
        limit,
        metrics,
        onCrash: (error) => actor?.send({ type: 'actor.crashed', error }),
        onEpochChanged: () => instances.brokerChanged(),
      }),
  });
  const sessions = new Sessions();
  // Whoever reads which instances did not answer finds them by these.
  const instance = `${hostname()}:${process.pid}:${randomUUID().slice(0, 8)}`;
  const instances = new Instances({
    id: instance,
    broker,
    sessions,
    clock,
    metrics,
    maxTokenLifeMs: config.native.maxTokenLifeSeconds * 1000,
    random: Math.random,
    newId: randomUUID,
    report: createInstancesReport({ logger, limit, id: instance, isBeside: feeds.superset !== undefined }),
  });
  const demo = createDemo({
    config,
    logger,
    clock,
    publish: (channel, payload) => broker.log.append(channel, payload),
    isWatched: (channel) => (feeds.superset?.sockets.countOn(channel) ?? 0) > 0,
  });
  // Superset's clients need no other instance, and may be served by a user who may not hear them.
  const isReady = (): boolean =>
    !isDraining && feeds.isReady() && (feeds.superset !== undefined || instances.isReady());
  const stopGauges = startGauges(metrics, feeds.all);
  let isDraining = false;
  let isStopped = false;
  let http: Http | undefined;
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
      http = await createSurface({
        loaded,
        clock,
        broker,
        feeds,
        metrics,
        logger,
        limit,
        decider: {},
        sessions,
        instances,
        page: demo.page,
        isReady: () => isReady() && (company?.areOthersReady() ?? true),
        isDraining: () => isDraining,
      });
      if (isStopped) throw new Error('it was stopped before it listened');
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
      stopGauges();
      await Promise.all([http?.close(), instances.close()]);
      await Promise.all([broker.close(), inspection.close(), metrics.close()]);
    },
  });
  let actor: ReturnType<typeof registry.start<typeof logic>> | undefined;

  return {
    ended,
    isReady,
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
