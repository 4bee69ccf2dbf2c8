import type { EventEmitter } from 'node:events';
import { authority } from './authority.ts';
import { EXIT } from './config/exit-code.ts';
import type { LoadedConfig } from './config/loaded.ts';

/** What is supervised: one whole server. */
export interface Supervised {
  /** Resolves once the port is bound; rejects when it cannot be. */
  start(): Promise<{ readonly host: string; readonly port: number }>;
  /** Drains and stops; resolves when nothing is left. */
  stop(): Promise<void>;
  /** The exit code, once it has ended, whoever ended it. */
  readonly ended: Promise<number>;
}

/** The part of the logger that is used here. */
export interface Log {
  info(fields: object, text: string): void;
  warn(fields: object, text: string): void;
  error(fields: object, text: string): void;
  fatal(fields: object, text: string): void;
}

/** Who is told how a start went. */
export interface StartReport {
  started(address: { readonly host: string; readonly port: number }): void;
  failed(error: NodeJS.ErrnoException): void;
}

export interface Supervisor {
  /** Where signals and uncaught errors come from: the process. */
  readonly process: Pick<EventEmitter, 'on'>;
  readonly log: Log;
  /** Default: the log. A worker tells its primary, which has one line for all of them. */
  readonly report?: StartReport;
  /** Ends the process. */
  exit(code: number): void;
}

/** What a person can do about a port that cannot be bound, in one line. */
const listenFailure = (
  error: NodeJS.ErrnoException & { readonly port?: number },
  { config }: LoadedConfig,
): string => {
  const isAdmin = error.port === config.admin.port && error.port !== config.port;
  const { host, port } = isAdmin ? config.admin : config;
  const address = `${host === '' ? 'port' : `${host} port`} ${port}${isAdmin ? ' (admin.port)' : ''}`;
  switch (error.code) {
    case 'EADDRINUSE':
      return `Cannot listen: ${address} is in use by another process`;
    case 'EACCES':
      return `Cannot listen: ${address} is not allowed to this user`;
    case 'EADDRNOTAVAIL':
      return `Cannot listen: ${host} is no address of this machine`;
    default:
      return `Cannot start: ${error.message}`;
  }
};

const reportTo = (log: Log, loaded: LoadedConfig): StartReport => ({
  started({ host, port }) {
    log.info({ host, port }, `Server started on port ${port}`);
    if (loaded.mode === 'development') log.info({}, `Open http://${authority(host, port)}/`);
  },
  failed(error) {
    log.error({}, listenFailure(error, loaded));
  },
});

/**
 * Runs a server until it ends: starts it, turns signals into an orderly end, and ends the process with a code
 * that says how it went.
 *
 * An error that nobody caught is a bug, after which nothing is certain: it is logged, the sockets are drained so
 * that their clients go to another instance, and the process ends with 1.
 */
export const supervise = async (
  system: Supervised,
  loaded: LoadedConfig,
  { process, log, report = reportTo(log, loaded), exit }: Supervisor,
): Promise<void> => {
  let stopping = false;
  let exitCode: number = EXIT.ok;

  const stop = (): void => {
    stopping = true;
    system.stop().catch((error: unknown) => {
      log.fatal({ err: error }, 'Could not stop in order');
      exit(EXIT.failed);
    });
  };
  const onSignal = (signal: string): void => {
    if (stopping) {
      log.warn({ signal }, 'Told again to end: ending at once');
      exit(EXIT.failed);
      return;
    }
    log.info({ signal }, 'Draining');
    stop();
  };
  const onBug = (error: unknown): void => {
    log.fatal({ err: error }, 'Uncaught error: this is a bug');
    exitCode = EXIT.failed;
    if (!stopping) stop();
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  process.on('uncaughtException', onBug);
  process.on('unhandledRejection', onBug);

  const started = system.start().then(
    (address) => report.started(address),
    (error: NodeJS.ErrnoException) => {
      if (stopping) return;
      exitCode = EXIT.failed;
      report.failed(error);
      stop();
    },
  );
  const code = await system.ended;
  // A start that was cut short may never settle; one that failed has a line to write before the end.
  await Promise.race([started, new Promise((resolve) => setImmediate(resolve))]);
  exit(code === EXIT.ok ? exitCode : code);
};
