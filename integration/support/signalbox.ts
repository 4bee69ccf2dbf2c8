import { tmpdir } from 'node:os';
import { Writable } from 'node:stream';
import * as Either from 'fp-ts/lib/Either.js';
import { load } from '../../src/config/load.ts';
import { createSystem, type System } from '../../src/system.ts';
import { createLogger } from '../../src/telemetry/logger.ts';

/** What tokens of these tests are signed with. */
export const JWT_SECRET = 'a-secret-of-the-integration-tests-0123456789';

export interface Signalbox {
  readonly port: number;
  readonly url: string;
  readonly system: System;
  /** What it has logged: one object a line. */
  readonly log: readonly Readonly<Record<string, unknown>>[];
  readyStatus(): Promise<number>;
  stop(): Promise<void>;
}

/**
 * Starts a whole Signalbox in this process, configured as an operator would: by its environment. Any number of
 * them are instances, that meet in their Redis alone.
 */
export async function startSignalbox(env: Readonly<Record<string, string>>): Promise<Signalbox> {
  const loaded = load({
    cwd: tmpdir(),
    file: undefined,
    env: { PORT: '0', JWT_SECRET, SIGNALBOX_HOST: '127.0.0.1', SIGNALBOX_DRAIN_MS: '0', ...env },
  });
  if (Either.isLeft(loaded)) throw new Error(`bad configuration: ${JSON.stringify(loaded.left)}`);
  const log: Record<string, unknown>[] = [];
  const output = new Writable({
    write(chunk: Buffer, _encoding, done) {
      for (const line of chunk.toString().split('\n')) if (line !== '') log.push(JSON.parse(line));
      done();
    },
  });
  const logger = createLogger({ level: 'debug', toFile: false, filename: '', output });
  const system = createSystem(loaded.right, logger);
  const { port } = await system.start();
  const url = `http://127.0.0.1:${port}`;
  return {
    port,
    url,
    system,
    log,
    readyStatus: async () => (await fetch(`${url}/ready`)).status,
    stop: () => system.stop(),
  };
}
