// Exits 0 when the server in this container is alive: the image's HEALTHCHECK, by Node because there is no curl.
//
// It finds the port as the server does, from PORT, then from the config file. It asks /health and not /ready: a
// process that waits for Redis is well, and restarting it would only lose its sockets.
import { existsSync, readFileSync } from 'node:fs';

const file = process.env.SIGNALBOX_CONFIG?.trim() || 'config.json';
const config = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
const port = process.env.PORT?.trim() || config.port || 8080;
const host = process.env.SIGNALBOX_HOST?.trim() || config.host || '';
// Listening on every interface includes this one.
const reached = ['', '0.0.0.0', '::'].includes(host) ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host;

try {
  const { ok } = await fetch(`http://${reached}:${port}/health`, { signal: AbortSignal.timeout(2500) });
  process.exit(ok ? 0 : 1);
} catch {
  process.exit(1);
}
