import type { Server } from 'node:http';
import { Sessions } from '../protocol/native/sessions.ts';
import type { Target } from '../protocol/native/target.ts';
import { createSystem, type Program } from '../system.ts';
import { createApplicationAuth } from './application-auth.ts';
import { createCallbackDecider } from './callback-decider.ts';
import type { Callbacks } from './callbacks.ts';
import { type Channel, Channels } from './channels.ts';
import type { AnyContract, Contract } from './contract.ts';
import { type Address, createLife } from './life.ts';
import { callEach, type OnBug } from './listeners.ts';
import { createLibraryLogger, type LogTarget } from './logger.ts';
import { loadFor } from './loading.ts';
import {
  aFunction,
  handlers,
  httpServer,
  type Kinds,
  logTarget,
  object,
  optionProblems,
  text,
} from './option-problems.ts';
import type { ConfigOptions } from './options.ts';
import { createSpeaker, type Speaker } from './speaker.ts';
import type { Socket } from './socket.ts';
import { voiceOf } from './voice.ts';
import { Sockets } from './sockets.ts';

/** How a Signalbox in a program is made. All of it is optional. */
export interface SignalboxOptions<C extends Contract = AnyContract> extends Callbacks<C>, ConfigOptions {
  /** A server of yours that it is a guest of, and that you start and stop. Left out: it has one of its own. */
  readonly server?: Server;
  /** Where it is on that server: what is below it is taken, and nothing else. Default: `/signalbox`. */
  readonly path?: string;
  /** Where its log lines go: a logger of yours, or false for nowhere. Default: JSON lines on standard output. */
  readonly logger?: LogTarget | false;
}

/** Ends one listener. */
export type Unsubscribe = () => void;

/** A Signalbox that runs in this program. */
export interface Signalbox<C extends Contract = AnyContract> extends Speaker<C> {
  /**
   * Resolves once it listens or, on a server of yours, once it has been added to it; with the address, whose port is 0
   * while your server has none. Rejects with a `SignalboxError`: `listen`, and
   * `stopped` where it was stopped. Called again it starts nothing, and answers the same.
   */
  start(): Promise<Address>;
  /** Closes its sockets, spread over `drainMs`, and everything else; resolves when nothing is left. */
  stop(): Promise<void>;
  /** Resolves with an exit code once it has ended, whoever ended it: 0 as asked, 1 by a fault of its own. */
  readonly ended: Promise<number>;
  /** Whether events arrive: what `/ready` says. */
  isReady(): boolean;
  /** The sockets of this instance. */
  readonly sockets: readonly Socket<C>[];
  socket(id: string): Socket<C> | undefined;
  channel(name: string): Channel<C>;
  /** Whether a socket of this instance has a channel. */
  isSubscribed(socketId: string, channel: string): boolean;
  /** Calls back with each socket that is welcomed. */
  onSocket(listener: (socket: Socket<C>) => void): Unsubscribe;
  /** Calls back when the first socket of this instance has a channel. */
  onChannelOpen(listener: (channel: Channel<C>) => void): Unsubscribe;
  /** Calls back when no socket of this instance has had it for `gcChannelsIntervalMs`. */
  onChannelClose(listener: (channel: Channel<C>) => void): Unsubscribe;
  /** Yours. */
  readonly locals: Record<string, unknown>;
}

const DEFAULT_PATH = '/signalbox';
const PATH = /^\/(?:[A-Za-z0-9_~-][A-Za-z0-9_.~-]*(?:\/[A-Za-z0-9_~-][A-Za-z0-9_.~-]*)*)?$/;

const KINDS: Kinds<SignalboxOptions<Contract>> = {
  config: object,
  env: object,
  file: text,
  cwd: text,
  logger: logTarget,
  server: httpServer,
  path: {
    expected: 'a path that begins with / and does not end with it',
    isShown: true,
    is: (value) => typeof value === 'string' && PATH.test(value),
  },
  authenticate: aFunction,
  onConnect: aFunction,
  authorize: aFunction,
  snapshot: aFunction,
  onAsk: handlers,
  onTell: handlers,
  onDisconnect: aFunction,
  onSubscribe: aFunction,
  onUnsubscribe: aFunction,
};

/**
 * Makes a Signalbox in this program; nothing happens before `start`. Throws a `SignalboxError`, `config`, with every
 * problem of its configuration.
 *
 * It is the server that the command runs, without the command's handling of signals and uncaught errors, which are the
 * program's. It forks nothing: `workers` above 1 is a problem of the configuration, and `auto` is 1.
 */
export function createSignalbox<C extends Contract = AnyContract>(
  options: SignalboxOptions<C> = {},
): Signalbox<C> {
  const problems = optionProblems(options, KINDS);
  const loaded = loadFor(options, options?.authenticate !== undefined, problems);
  const path = options.path ?? DEFAULT_PATH;
  const logger = createLibraryLogger(loaded.config, options.logger);
  const sessions = new Sessions();
  const onBug: OnBug = (error, callback) => logger.error({ err: error, callback }, `${callback} threw`);
  const sockets = new Sockets<C>(sessions, onBug);
  const channels = new Channels<C>((target) => all(target), onBug);
  const socketListeners = new Set<(socket: Socket<C>) => void>();
  const program: Program = {
    sessions,
    decider: createCallbackDecider(options, {
      sockets,
      onBug,
      onSocket(socket) {
        callEach(socketListeners, socket, onBug, 'onSocket');
      },
    }),
    authenticate: createApplicationAuth(options, loaded.config, onBug),
    host: options.server && { server: options.server, path },
    onChannelOpen: (name) => channels.opened(name),
    onChannelClose: (name) => channels.closed(name),
  };
  const system = createSystem(loaded, logger, { program });
  const life = createLife(system);

  const all = (target: Target): Socket<C>[] =>
    sessions.of(target).map(({ id, principal }) => sockets.of({ socket: id, principal }));

  return {
    ...createSpeaker<C>(voiceOf(system, () => life.assertAlive())),
    locals: {},
    ended: system.ended,
    isReady: () => system.isReady(),
    start: () => life.start(),
    stop: () => life.stop(),
    get sockets() {
      return all({ everyone: true });
    },
    socket: (id) => all({ socket: id })[0],
    channel: (name) => channels.get(name),
    isSubscribed: (socketId, channel) => sessions.of({ socket: socketId })[0]?.isSubscribed(channel) ?? false,
    onSocket(listener) {
      const own = (socket: Socket<C>): void => listener(socket);
      socketListeners.add(own);
      return () => void socketListeners.delete(own);
    },
    onChannelOpen: (listener) => channels.onOpen(listener),
    onChannelClose: (listener) => channels.onClose(listener),
  };
}
