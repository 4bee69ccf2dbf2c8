import { randomUUID } from 'node:crypto';
import { canaryMachine } from '../machines/canary.machine.ts';
import { channelMachine } from '../machines/channel.machine.ts';
import { heartbeatMachine } from '../machines/heartbeat.machine.ts';
import { readerMachine } from '../machines/reader.machine.ts';
import { socketMachine } from '../machines/socket.machine.ts';
import { systemMachine } from '../machines/system.machine.ts';
import type { Feeds } from './actors/feeds.ts';
import { type Admin, type AdminDeps, createAdmin } from './admin/admin.ts';
import { OverviewTicker } from './admin/overview-ticker.ts';
import type { Broker, EventLog } from './broker/ports.ts';
import type { Clock } from './clock.ts';
import type { LoadedConfig } from './config/loaded.ts';
import type { Chart } from './inspect/api.ts';
import { chartOf } from './inspect/chart.ts';
import { Inspector, type InspectorDeps } from './inspect/inspector.ts';
import { Installation } from './inspect/installation.ts';
import { Peers } from './inspect/peers.ts';
import { Stately } from './inspect/stately.ts';
import { Watches } from './inspect/watches.ts';
import type { Instances } from './instances/instances.ts';
import { authority } from './authority.ts';
import type { Registry } from './routing/registry.ts';
import type { LogLimit } from './telemetry/log-limit.ts';
import type { Logger } from './telemetry/logger.ts';
import type { Recorder } from './telemetry/recorder.ts';

export interface PanelDeps
  extends Pick<
      InspectorDeps,
      'version' | 'journal' | 'transitions' | 'log' | 'eventLoop' | 'isReady' | 'isDraining'
    >,
    Pick<AdminDeps, 'scrape'> {
  readonly loaded: LoadedConfig;
  readonly clock: Clock;
  readonly broker: Broker;
  readonly feeds: Feeds;
  readonly instances: Pick<Instances, 'id' | 'living'>;
  readonly registry: Registry;
  readonly metrics: Recorder;
  /** Plain channels, over one connection for all who want some. */
  readonly line: Pick<EventLog, 'subscribe'>;
  readonly logger: Logger;
  readonly limit: LogLimit;
}

/** The panel, its API and the metrics of a process, at the admin listener. */
export interface Panel {
  /** Binds its port, and answers other processes from now on. */
  start(): Promise<void>;
  close(): Promise<void>;
}

/** The charts of all machines, by their names. */
const CHARTS: ReadonlyMap<string, Chart> = new Map(
  [socketMachine, channelMachine, readerMachine, canaryMachine, heartbeatMachine, systemMachine].map(
    (machine) => [machine.id, chartOf(machine)],
  ),
);

/** Undefined: the configuration has no admin listener, and nothing of it costs anything. */
export function createPanel(deps: PanelDeps): Panel | undefined {
  const { loaded, clock, broker, instances, logger, limit } = deps;
  const { config, mode } = loaded;
  if (!config.admin.enabled) return undefined;
  const instance = (): string => instances.id;
  const stately = new Stately({
    instance,
    registry: deps.registry,
    journal: deps.journal,
    metrics: deps.metrics,
    now: clock.now,
    onUnavailable: (error) => logger.warn({ err: error }, "Stately's inspector cannot be loaded"),
  });
  if (config.inspect.stately) stately.set({});
  const inspector = new Inspector({
    ...deps,
    stately,
    instance,
    window: config.window,
    lend: (to, id, subject) => watches.lend(to, id, subject),
  });
  const isAlone = broker.name === 'memory';
  const peers = new Peers({
    id: instances.id,
    line: isAlone
      ? undefined
      : {
          subscribe: (channels, listener) => deps.line.subscribe(channels, listener),
          publish: (channel, payload) => broker.log.publish(channel, payload),
        },
    prefix: config.native.prefix,
    living: () => instances.living(),
    answer: (asked, from) => inspector.answer(asked, from),
    heard: (watch, line) => watches.heard(watch, line),
    clock,
    random: Math.random,
    newId: randomUUID,
    onAbsent: (error) =>
      logger.warn({ err: error }, 'The panel cannot ask the other processes; it tries again'),
    onFailed: (error) =>
      limit.log('panel question', (suppressed) =>
        logger.warn({ err: error, suppressed }, 'A question of the panel was not answered'),
      ),
  });
  const watches: Watches = new Watches({
    watchHere: (subject, onLine) => inspector.watch(subject, onLine),
    askOthers: (question) => peers.ask(question),
    sendLine: (to, watch, line) => peers.sendLine(to, watch, line),
    clock,
    newId: randomUUID,
  });
  const installation = new Installation({ peers, watches });
  const ticker = new OverviewTicker({ overview: () => installation.overview(), clock });
  let admin: Admin | undefined;

  return {
    async start() {
      peers.start();
      admin = await createAdmin({
        ...config.admin,
        mode,
        trustProxy: config.trustProxy,
        now: clock.now,
        logger,
        scrape: deps.scrape,
        installation,
        ticker,
        charts: CHARTS,
        stately,
        hasJournal: deps.journal !== undefined,
        limit,
      });
      const { host, port } = await admin.listen(config.admin);
      // One that somebody has chosen is logged nowhere.
      const isOwn = loaded.origins.get('admin.token') === 'development mode';
      const token = isOwn ? `?token=${encodeURIComponent(config.admin.token)}` : '';
      logger.info({ host, port }, `Panel: open http://${authority(host, port)}/inspect${token}`);
    },
    async close() {
      watches.close();
      stately.close();
      peers.close();
      await admin?.close();
    },
  };
}
