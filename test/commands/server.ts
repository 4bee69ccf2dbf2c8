import { afterEach } from '@jest/globals';
import pino from 'pino';
import { createSystem } from '../../src/system.ts';
import { loaded } from '../config/loading.ts';
import { configured } from './running.ts';

const running: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of running.splice(0)) await stop();
});

/** A whole server in this process, on the embedded broker; stopped after the test. */
export const startServer = async (env: Readonly<Record<string, string>> = configured) => {
  const config = loaded({ env: { PORT: '0', SIGNALBOX_DRAIN_MS: '0', ...env } });
  const system = createSystem(config, pino({ level: 'silent' }));
  const { port } = await system.start();
  running.push(() => system.stop());
  return { port, url: `http://127.0.0.1:${port}/`, stop: () => system.stop() };
};
