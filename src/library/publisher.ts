import { createVoice } from '../voice.ts';
import type { AnyContract, Contract } from './contract.ts';
import { loadFor, refusal } from './loading.ts';
import { createLibraryLogger, type LogTarget } from './logger.ts';
import type { ConfigOptions } from './options.ts';
import { createSpeaker, type Speaker } from './speaker.ts';

export interface PublisherOptions extends ConfigOptions {
  /** Where its log lines go: a logger of yours, or false for nowhere. Default: JSON lines on standard output. */
  readonly logger?: LogTarget | false;
}

/** Says things to the clients of an installation, and serves none itself. */
export interface Publisher<C extends Contract = AnyContract> extends Speaker<C> {
  /** Closes its connections. */
  close(): Promise<void>;
}

/**
 * Makes a publisher without a server. It connects when it is first used. Throws a `SignalboxError`, `config`: also
 * where the broker is the embedded one, in which nobody else would hear it.
 */
export function createPublisher<C extends Contract = AnyContract>(
  options: PublisherOptions = {},
): Publisher<C> {
  // It lets nobody in, and so needs no secret.
  const loaded = loadFor(options, true);
  const { brokerChoice, origins } = loaded;
  if (brokerChoice.name === 'memory') {
    throw refusal([
      {
        code: 'conflict',
        key: 'broker',
        source: origins.get('broker') ?? 'default',
        got: `the embedded broker (${brokerChoice.reason})`,
        expected: 'redis: in an embedded broker only its own process is heard',
        advice: 'Name a Redis, or publish over HTTP or with createSignalbox in the server itself.',
      },
    ]);
  }
  const voice = createVoice(loaded, createLibraryLogger(loaded.config, options.logger));
  return { ...createSpeaker<C>(voice), close: () => voice.close() };
}
