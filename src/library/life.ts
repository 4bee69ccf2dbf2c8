import { SignalboxError } from './error.ts';

/** Where a server listens. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** What has a life. */
interface Server {
  start(): Promise<Address>;
  stop(): Promise<void>;
  readonly ended: Promise<number>;
}

/** When a server in a program may be spoken through: from its start to its end. */
export interface Life {
  /** Starts it once, however often this is called. Rejects with `listen`, and with `stopped` after `stop`. */
  start(): Promise<Address>;
  stop(): Promise<void>;
  /** Throws `stopped` before the start and after the end; while it drains there are clients to be told of it. */
  assertAlive(): void;
}

export function createLife(server: Server): Life {
  let starting: Promise<Address> | undefined;
  let isStopped = false;
  let hasEnded = false;
  void server.ended.then(() => {
    hasEnded = true;
  });

  async function begin(): Promise<Address> {
    try {
      return await server.start();
    } catch (error) {
      if (isStopped) throw stopped();
      const reason = error instanceof Error ? error.message : String(error);
      throw new SignalboxError('listen', `cannot listen: ${reason}`, { cause: error });
    }
  }

  return {
    async start() {
      if (isStopped) throw stopped();
      starting ??= begin();
      return await starting;
    },
    async stop() {
      isStopped = true;
      await server.stop();
    },
    assertAlive() {
      if (hasEnded) throw stopped();
      if (starting === undefined) throw isStopped ? stopped() : notStarted();
    },
  };
}

const notStarted = (): SignalboxError =>
  new SignalboxError('stopped', 'It has not been started: call start first.');

export const stopped = (): SignalboxError =>
  new SignalboxError('stopped', 'It has ended, and does not begin again: make another one.');
