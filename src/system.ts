import { randomUUID } from 'node:crypto';
import { createActors } from './actors/actors.ts';
import { drain } from './actors/drain.ts';
import { createSystemLogic } from './actors/system.ts';
import { createAuthenticate } from './auth/authenticate.ts';
import { createBroker } from './broker/broker.ts';
import { systemClock } from './clock.ts';
import type { LoadedConfig } from './config/loaded.ts';
import { createDemo } from './demo/demo.ts';
import { supersetRealtimeProtocol, supersetStreamsProtocol } from './protocol/superset/socket-protocol.ts';
import { Registry } from './routing/registry.ts';
import { startGauges } from './telemetry/gauges.ts';
import { createInspection } from './telemetry/inspection.ts';
import { createLogLimit } from './telemetry/log-limit.ts';
import type { Logger } from './telemetry/logger.ts';
import { createReport } from './telemetry/report.ts';
import { createStatsd } from './telemetry/statsd.ts';
import { webSocketFraming } from './transport/frames.ts';
import { createHttp, type Http } from './transport/http.ts';
import { acceptSupersetSockets } from './transport/superset-sockets.ts';

/** A server, from start to end. */
export interface System {
  /** Resolves with where it listens; rejects when the port cannot be bound. */
  start(): Promise<{ readonly host: string; readonly port: number }>;
  /** Drains and ends it; resolves when it has ended. */
  stop(): Promise<void>;
  /** The exit code it ended with. */
  readonly ended: Promise<number>;
}

/** How long a peer may take over its side of the closing handshake. */
const CLOSE_TIMEOUT_MS = 2_000;
/** Beyond `drainMs`, for the last closing handshakes. */
const DRAIN_GRACE_MS = 3_000;

/** Wires a whole server of the configuration; nothing happens before `start`. */
export function createSystem(loaded: LoadedConfig, logger: Logger): System {
  const { config, mode } = loaded;
  const clock = systemClock;
  const limit = createLogLimit({ now: clock.now });
  const metrics = createStatsd({
    ...config.statsd,
    onError: (error) => limit.log('statsd', () => logger.warn({ err: error }, 'StatsD cannot be reached')),
  });
  const inspection = createInspection({ stately: config.inspect.stately, logger, metrics });
  const registry = new Registry({ clock, inspect: inspection.inspect });
  const broker = createBroker(loaded, { clock, onNote: (message) => logger.warn({}, message) });
  const protocolOptions = { onRepaired: () => metrics.count('signalbox.events_repaired') };
  const isRealtime = config.superset.protocol === 'realtime';
  const actors = createActors({
    registry,
    clock,
    metrics,
    log: broker.log,
    protocol: isRealtime
      ? supersetRealtimeProtocol(protocolOptions)
      : supersetStreamsProtocol(protocolOptions),
    feed: isRealtime
      ? { kind: 'realtime', channel: `${config.realtimeChannelPrefix}realtime` }
      : { kind: 'firehose' },
    framing: webSocketFraming,
    random: Math.random,
    newId: randomUUID,
    later: (run) => void setImmediate(run),
    limits: {
      window: config.window,
      maxSocketBufferBytes: config.maxSocketBufferBytes,
      maxTotalBufferBytes: config.maxTotalBufferBytes,
      replays: config.limits.replays,
      replaySlackMs: config.superset.replaySlackMs,
    },
    reads: {
      count: config.redisStreamReadCount,
      blockMs: config.redisStreamReadBlockMs,
      pauseMs: config.readPauseMs,
    },
    times: {
      handshakeTimeoutMs: config.handshakeTimeoutMs,
      pingIntervalMs: config.pingSocketsIntervalMs,
      responseTimeoutMs: config.socketResponseTimeoutMs,
      slowConsumerTimeoutMs: config.slowConsumerTimeoutMs,
      closeTimeoutMs: CLOSE_TIMEOUT_MS,
    },
    gcIntervalMs: config.gcChannelsIntervalMs,
    report: createReport({
      logger,
      limit,
      metrics,
      onCrash: (error) => actor?.send({ type: 'actor.crashed', error }),
    }),
  });
  const publish = (channel: string, payload: Buffer) => broker.log.append(channel, payload);
  const demo = createDemo({
    config,
    logger,
    clock,
    publish,
    isWatched: (channel) => actors.sockets.countOn(channel) > 0,
  });
  const authenticate = createAuthenticate(config, clock.now);
  const stopGauges = startGauges(metrics, actors);
  let isDraining = false;
  let http: Http | undefined;
  const listening = settleable<{ host: string; port: number }>();
  const ended = settleable<number>();

  const logic = createSystemLogic({
    startReader: () => actors.startReader(),
    async listen() {
      http = await createHttp({
        ...config,
        logger,
        mode,
        publish,
        page: demo.page,
        isReady: () => !isDraining && actors.isReady(),
      });
      acceptSupersetSockets({
        server: http.server,
        isDraining: () => isDraining,
        actors,
        loaded,
        authenticate,
        metrics,
        logger,
        limit,
        clock,
      });
      const { host, port } = config;
      listening.resolve(await http.listen({ port, ...(host !== '' && { host }) }));
    },
    onListening() {},
    onDraining: () => {
      isDraining = true;
    },
    drain: () => drain(actors.sockets, clock, config.drainMs),
    async shutDown() {
      demo.close();
      actors.sockets.terminate();
      actors.stop();
      stopGauges();
      await http?.close();
      await Promise.all([broker.close(), inspection.close(), metrics.close()]);
    },
  });
  let actor: ReturnType<typeof registry.start<typeof logic>> | undefined;

  return {
    ended: ended.promise,
    start() {
      actor = registry.start(logic, {
        id: 'system',
        input: { drainTimeoutMs: config.drainMs + DRAIN_GRACE_MS },
        onEnd: (error) => {
          const output = actor?.getSnapshot().output;
          if (output?.error !== undefined) listening.reject(output.error);
          ended.resolve(error === undefined ? (output?.exitCode ?? 0) : 1);
        },
      });
      return listening.promise;
    },
    async stop() {
      if (actor === undefined) ended.resolve(0);
      actor?.send({ type: 'system.stop' });
      await ended.promise;
    },
  };
}

/** A promise that is settled from outside; Node 20 has no `Promise.withResolvers`. */
function settleable<T>() {
  let resolve: (value: T) => void = () => {};
  let reject: (error: unknown) => void = () => {};
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}
