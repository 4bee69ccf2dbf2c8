import process from 'node:process';
import * as Either from 'fp-ts/lib/Either.js';
import { load } from '../../src/config/load.ts';
import { supervise } from '../../src/supervision.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { createWorkers } from '../../src/workers/workers.ts';

/** A server of two workers, as `src/main.ts` starts it, each of which can be asked for its scrape: `measured-worker.ts`. */
const loaded = load({ cwd: process.cwd(), file: undefined, env: process.env });
if (Either.isLeft(loaded)) throw new Error(`bad configuration: ${JSON.stringify(loaded.left)}`);
const log = createLogger({ level: 'info', toFile: false, filename: '' });
const entry = new URL('./measured-worker.ts', import.meta.url);
const primary = createWorkers(loaded.right, 2, log, entry);
await supervise(primary, loaded.right, {
  process,
  log,
  exit(code) {
    primary.kill();
    process.exit(code);
  },
});
