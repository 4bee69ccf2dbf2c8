// A program whose server has both Vite and a Signalbox on it, in a process of its own: in a context of jest's, Vite
// takes a RegExp for none. It does what its parent tells it, and answers each time.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createServer as createVite } from 'vite';
import { createSignalbox } from '../../src/index.ts';
import { byName } from './program.ts';

/** What it can be told. */
export type ViteHostOrder = 'publish' | 'stop signalbox' | 'stop';

const answer = (message: unknown): void => void process.send?.(message);

const server = createServer((request, response) => {
  vite.middlewares(request, response);
});
const vite = await createVite({
  root: process.argv[2] ?? '',
  configFile: false,
  logLevel: 'error',
  appType: 'custom',
  server: { middlewareMode: true, hmr: { server } },
  optimizeDeps: { noDiscovery: true },
});
const signalbox = createSignalbox({ ...byName, server, env: {}, logger: false, config: { drainMs: 0 } });

const orders: Record<ViteHostOrder, () => Promise<unknown>> = {
  async publish() {
    await signalbox.publish('chat', 'line', 'ours');
    return { sockets: signalbox.sockets.length };
  },
  'stop signalbox': () => signalbox.stop(),
  async stop() {
    await vite.close();
    server.close();
    server.closeAllConnections();
    process.disconnect();
  },
};
process.on('message', (order: ViteHostOrder) => {
  void orders[order]().then((done) => process.connected && answer(done ?? order));
});

server.listen(0, '127.0.0.1');
await once(server, 'listening');
await signalbox.start();
answer({ port: (server.address() as AddressInfo).port });
