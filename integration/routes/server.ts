import { randomUUID } from 'node:crypto';
import { isLeft } from 'fp-ts/lib/Either.js';
import { pino } from 'pino';
import type { Report } from '../../src/actors/report.ts';
import { createFeeds } from '../../src/actors/feeds.ts';
import { createBroker } from '../../src/broker/broker.ts';
import { createPubSubServers } from '../../src/broker/pubsub-servers.ts';
import { systemClock } from '../../src/clock.ts';
import { load } from '../../src/config/load.ts';
import { printProblem } from '../../src/config/problem.ts';
import { Sessions } from '../../src/protocol/native/sessions.ts';
import { createRoutes } from '../../src/routes/routes.ts';
import { Registry } from '../../src/routing/registry.ts';
import { noMetrics } from '../../src/telemetry/metrics.ts';
import { messageFraming, webSocketFraming } from '../../src/transport/frames.ts';
import { createRouteStreams } from '../../src/transport/route-streams.ts';
import { createStreamRoutes } from '../../src/transport/stream-routes.ts';
import { serveHttp } from '../../test/support/http-surface.ts';
import { createClientAddress } from '../../src/transport/client-address.ts';

/** A client of a stream. */
export interface Reader {
  /** Every byte that came, comments and the first retry apart, as one text of bytes. */
  text(): string;
  /** Resolves when the stream has ended. */
  readonly ended: Promise<void>;
  close(): void;
}

/** A server of routes: everything but what opens a stream is what a whole server has. */
export interface RouteServer {
  read(path: string): Promise<Reader>;
  /** What was reported, by its name. */
  readonly reported: readonly string[];
  close(): Promise<void>;
}

const quiet = pino({ level: 'silent' });

/** Serves the routes of an environment; channels are kept for `gcMs` after their last reader. */
export async function serveRoutes(
  env: Readonly<Record<string, string>>,
  routes: readonly object[],
): Promise<RouteServer> {
  const loaded = load({
    cwd: '/',
    env: {
      JWT_SECRET: 'a-secret-of-more-than-thirty-two-bytes',
      SIGNALBOX_ROUTES: JSON.stringify(routes),
      ...env,
    },
  });
  if (isLeft(loaded)) throw new Error(loaded.left.map(printProblem).join('\n'));
  const { config } = loaded.right;
  const clock = systemClock;
  const broker = createBroker(loaded.right, { clock, onNote() {} });
  const servers = createPubSubServers(loaded.right, broker, () => {});
  const reported: string[] = [];
  const report = new Proxy({} as Report, {
    get: (_, name: string) => () => void reported.push(name),
  });
  const feeds = createFeeds({
    config,
    clock,
    broker,
    servers,
    registry: new Registry({ clock }),
    framing: webSocketFraming,
    messageFraming,
    metrics: noMetrics,
    random: Math.random,
    newId: randomUUID,
    later: (run) => void setImmediate(run),
    report: () => report,
  });
  const streamRoutes = createStreamRoutes({
    routes: createRoutes(config),
    actorsOf: ({ settings: { redis, format } }) => feeds.pubSub(redis, format),
    openStream: createRouteStreams({
      clock,
      random: Math.random,
      access: { isRevoked: () => false },
      sessions: new Sessions(),
      unavailable: () => undefined,
      isFull: () => false,
      addressOf: createClientAddress(false),
      connectLimit: () => 0,
      onRefused() {},
    }),
    askUpstream: async (_request, response) => void response.destroy(),
    principalOf: () => Promise.reject(new Error('nobody has a token here')),
    now: clock.now,
    random: Math.random,
    allowedOrigins: [],
    logger: quiet,
  });
  const { http, url } = await serveHttp({ streamRoutes: () => streamRoutes });
  feeds.start();

  return {
    reported,
    async read(path) {
      const abort = new AbortController();
      const response = await fetch(url + path, { signal: abort.signal });
      if (response.status !== 200) throw new Error(`${path} is answered with ${response.status}`);
      const chunks: Buffer[] = [];
      const take = async (): Promise<void> => {
        for await (const chunk of response.body as ReadableStream<Uint8Array>)
          chunks.push(Buffer.from(chunk));
      };
      return {
        text: () =>
          Buffer.concat(chunks)
            .toString('latin1')
            .replaceAll(':\n\n', '')
            .replace(/^retry: \d+\n\n/, ''),
        ended: take().catch(() => {}),
        close: () => abort.abort(),
      };
    },
    async close() {
      await feeds.drain(0);
      feeds.stop();
      await http.close();
      await Promise.all([servers.close(), broker.close()]);
    },
  };
}
