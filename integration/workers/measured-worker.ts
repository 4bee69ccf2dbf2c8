import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import process from 'node:process';
import { systemClock } from '../../src/clock.ts';
import { supervise } from '../../src/supervision.ts';
import { createSystem } from '../../src/system.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { openChannel } from '../../src/workers/cluster.ts';
import { PrimaryLink } from '../../src/workers/primary-link.ts';

/** A worker as `src/worker.ts` is one, which answers a scrape on a port of its own. */
const channel = openChannel();
if (channel === undefined) throw new Error('a worker is started by its primary');
const link = new PrimaryLink({ channel, process, clock: systemClock });
const task = await link.task;
if (task === undefined) process.exit(0);

const { worker, loaded } = task;
const log = createLogger({ level: 'info', toFile: false, filename: '', worker });
const system = createSystem(loaded, log, { company: link });
link.reportOn(() => system.isReady());
const scrapes = createServer((_, response) => {
  system.metrics.scrape().then(
    ({ contentType, body }) => response.setHeader('Content-Type', contentType).end(body),
    (error: unknown) => response.writeHead(503).end(String(error)),
  );
});
// Exclusive: the other workers have ports of their own.
scrapes.listen({ port: 0, host: '127.0.0.1', exclusive: true }, () => {
  log.info({ scrapePort: (scrapes.address() as AddressInfo).port }, 'Asked for figures here');
});
await supervise(system, loaded, {
  process: link.process,
  log,
  report: link,
  exit: (code) => process.exit(code),
});
