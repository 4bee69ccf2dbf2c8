import { pino } from 'pino';
import { streamId } from '../../src/event/stream-id.ts';
import { noMetrics } from '../../src/telemetry/metrics.ts';
import { createHttp, type Http, type HttpDeps } from '../../src/transport/http.ts';
import { endingStreams, nativeHttp, noControl } from './native-http.ts';

export const API_KEY = 'a-key-of-more-than-24-characters';

/** What an HTTP surface in production needs, of a broker that takes everything. */
export function httpDeps(overrides: Partial<HttpDeps> = {}): HttpDeps {
  return {
    logger: pino({ level: 'silent' }),
    mode: 'production',
    isKeyless: overrides.mode === 'development',
    isReady: () => true,
    publish: async (publications) => publications.map((_, at) => ({ id: streamId(1_700_000_000_000, at) })),
    isUnknown: () => false,
    native: nativeHttp(),
    control: noControl,
    events: endingStreams(),
    apiKeys: [API_KEY],
    maxBodyBytes: 1_048_576,
    maxBatch: 3,
    trustProxy: false,
    allowedOrigins: [],
    limits: { requestsPerSecond: 0 },
    metrics: noMetrics,
    ...overrides,
  };
}

export interface ServedHttp {
  readonly http: Http;
  readonly port: number;
  readonly url: string;
}

/** Serves it on a free port of this machine; whoever asks closes it. */
export async function serveHttp(overrides: Partial<HttpDeps> = {}): Promise<ServedHttp> {
  const http = await createHttp(httpDeps(overrides));
  const { port } = await http.listen({ host: '127.0.0.1', port: 0 });
  return { http, port, url: `http://127.0.0.1:${port}` };
}
