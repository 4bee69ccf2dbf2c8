#!/usr/bin/env node
import { isCommandName, runCommand } from './commands/commands.ts';
import { untilEnded } from './commands/ending.ts';
import { decide } from './config/command.ts';
import type { LoadedConfig } from './config/loaded.ts';
import { workerCount } from './config/workers.ts';
import { supervise } from './supervision.ts';
import { packageVersion } from './version.ts';

const serve = async (loaded: LoadedConfig): Promise<void> => {
  // Imported here: --check and --help have no use for a server, and answer in a third of the time.
  const { createLogger } = await import('./telemetry/logger.ts');
  const { config, mode, brokerChoice, notes, warnings } = loaded;
  const log = createLogger({
    level: config.logLevel,
    toFile: config.logToFile,
    filename: config.logFilename,
  });
  log.info({ mode, broker: brokerChoice.name }, `Broker ${brokerChoice.name}: ${brokerChoice.reason}`);
  for (const { key, text } of notes) log.info({ key }, `${key}: ${text}`);
  for (const { key, text } of warnings) log.warn({ key }, `${key}: ${text}`);
  if (mode === 'development') {
    log.warn({}, 'Development mode: a random secret, the embedded broker, this machine only');
  }
  const workers = workerCount(loaded);
  if (workers === 1) {
    const { createSystem } = await import('./system.ts');
    await supervise(createSystem(loaded, log), loaded, { process, log, exit: (code) => process.exit(code) });
    return;
  }
  const { createWorkers } = await import('./workers/workers.ts');
  const primary = createWorkers(loaded, workers, log);
  log.info({ workers }, `Starting ${workers} workers`);
  await supervise(primary, loaded, {
    process,
    log,
    exit(code) {
      primary.kill();
      process.exit(code);
    },
  });
};

const { env } = process;
const cwd = process.cwd();
const [name, ...argv] = process.argv.slice(2);
if (isCommandName(name)) {
  const { stdin, stdout, stderr } = process;
  const ending = () => untilEnded(process);
  const context = { argv, env, cwd, stdin, stdout, stderr, now: Date.now, untilEnded: ending };
  process.exitCode = await runCommand(name, context);
} else {
  const command = decide({ argv: process.argv.slice(2), env, cwd, version: packageVersion() });
  if (command.kind === 'serve') await serve(command.loaded);
  else {
    process.stderr.write(command.stderr);
    process.stdout.write(command.stdout);
    process.exitCode = command.exitCode;
  }
}
