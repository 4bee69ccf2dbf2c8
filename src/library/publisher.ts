import { randomUUID } from 'node:crypto';
import { createBroker } from '../broker/broker.ts';
import { systemClock } from '../clock.ts';
import { createInstances } from '../instances/create-instances.ts';
import { Sessions } from '../protocol/native/sessions.ts';
import { createPublishing } from '../publishing.ts';
import { createLogLimit } from '../telemetry/log-limit.ts';
import { noMetrics } from '../telemetry/metrics.ts';
import { createTracing } from '../telemetry/tracing.ts';
import type { AnyContract, Contract } from './contract.ts';
import { stopped } from './life.ts';
import { loadFor, refusal } from './loading.ts';
import { createLibraryLogger, type LogTarget } from './logger.ts';
import { type Kinds, logTarget, object, optionProblems, text } from './option-problems.ts';
import type { ConfigOptions } from './options.ts';
import { createSpeaker, type Speaker } from './speaker.ts';
import { voiceOf } from './voice.ts';

export interface PublisherOptions extends ConfigOptions {
  /** Where its log lines go: a logger of yours, or false for nowhere. Default: JSON lines on standard output. */
  readonly logger?: LogTarget | false;
}

/** Says things to the clients of an installation, and serves none itself. */
export interface Publisher<C extends Contract = AnyContract> extends Speaker<C> {
  /** Closes its connections; what is said after that is refused with `stopped`. */
  close(): Promise<void>;
}

const KINDS: Kinds<PublisherOptions> = {
  config: object,
  env: object,
  file: text,
  cwd: text,
  logger: logTarget,
};

/**
 * Makes a publisher without a server. It connects when it is first used. Throws a `SignalboxError`, `config`: also
 * where the broker is the embedded one, in which nobody else would hear it.
 */
export function createPublisher<C extends Contract = AnyContract>(
  options: PublisherOptions = {},
): Publisher<C> {
  // It lets nobody in, and so needs no secret.
  const loaded = loadFor(options, true, optionProblems(options, KINDS));
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
  const clock = systemClock;
  const logger = createLibraryLogger(loaded.config, options.logger);
  const limit = createLogLimit({ now: clock.now });
  const broker = createBroker(loaded, { clock, onNote: (message) => logger.warn({}, message) });
  const publishing = createPublishing({
    log: broker.native,
    mirror: undefined,
    logger,
    limit,
    tracing: createTracing(),
    newKey: randomUUID,
  });
  const instances = createInstances({
    config: loaded.config,
    broker,
    sessions: new Sessions(),
    clock,
    metrics: noMetrics,
    logger,
    limit,
    isBeside: false,
  });
  let isListening = false;
  let isClosed = false;
  const voice = voiceOf({ publishing, instances }, () => {
    if (isClosed) throw stopped();
  });
  return {
    ...createSpeaker<C>({
      ...voice,
      async end(target, word) {
        // Whoever ends sockets hears how many there were, and so is one of those that listen.
        if (!isListening) instances.start();
        isListening = true;
        await instances.whenPresent();
        return await voice.end(target, word);
      },
    }),
    async close() {
      isClosed = true;
      if (isListening) await instances.close();
      await broker.close();
    },
  };
}
