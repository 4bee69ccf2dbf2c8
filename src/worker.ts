import process from 'node:process';
import { systemClock } from './clock.ts';
import { openChannel } from './workers/cluster.ts';
import { PrimaryLink } from './workers/primary-link.ts';

const channel = openChannel();
if (channel === undefined) throw new Error('a worker is started by its primary: run main');

// Before all else: from here on a signal of the terminal does not end it.
const link = new PrimaryLink({ channel, process, clock: systemClock });
const [task, { supervise }, { createSystem }, { createLogger }] = await Promise.all([
  link.task,
  import('./supervision.ts'),
  import('./system.ts'),
  import('./telemetry/logger.ts'),
]);
if (task === undefined) process.exit(0);

const { worker, loaded } = task;
const { logLevel: level, logToFile: toFile, logFilename: filename } = loaded.config;
const log = createLogger({ level, toFile, filename, worker });
const system = createSystem(loaded, log, { company: link });
link.reportOn(() => system.isReady());
await supervise(system, loaded, {
  process: link.process,
  log,
  report: link,
  exit: (code) => process.exit(code),
});
