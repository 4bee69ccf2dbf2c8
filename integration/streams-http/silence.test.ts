import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { NumberClient } from '../native/number-client.ts';
import { Numbers } from '../native/numbers.ts';
import { makeCertificates } from '../support/certificates.ts';
import { eventually } from '../support/eventually.ts';
import { type SignalboxProcess, startProcess } from '../support/process.ts';
import { redisUrl, uniquePrefix } from '../support/redis.ts';
import { NumberStream } from './number-stream.ts';
import { type Proxy, startProxy } from './proxy.ts';

/** For how long nothing is published. `.ci/run` takes more than a minute, which is where the proxies' limits are. */
const SECONDS = Number(process.env['SILENCE_SECONDS'] ?? 16);
/** What a stream promises, and what this machine may be late by. */
const BEAT_MS = 15_000;
const LATE_MS = 1_500;
const CHANNEL = 'silent';

const LIMIT_MS = SECONDS * 1000 + 30_000;

describe('silence behind nginx and HAProxy', () => {
  const prefix = `${uniquePrefix()}own:`;
  const numbers = new Numbers(prefix);
  let signalbox: SignalboxProcess;
  let proxies: readonly Proxy[] = [];
  let streams: readonly NumberStream[] = [];
  let clients: readonly NumberClient[] = [];

  beforeAll(async () => {
    signalbox = await startProcess({
      REDIS_URL: redisUrl(),
      SIGNALBOX_SUPERSET_PROTOCOL: 'off',
      SIGNALBOX_NATIVE_PREFIX: prefix,
    });
    const certificates = await makeCertificates();
    proxies = await Promise.all(
      (['nginx', 'haproxy'] as const).map((name) => startProxy(name, [signalbox.port], certificates)),
    );
  });

  afterAll(async () => {
    for (const stream of streams) stream.leave();
    for (const client of clients) client.socket.terminate();
    await Promise.all(proxies.map((proxy) => proxy.stop()));
    await numbers.close();
    await signalbox.end('SIGKILL');
  });

  test(
    'ends neither a stream nor a WebSocket, because of what is said in between',
    async () => {
      streams = proxies.map(
        ({ port }) => new NumberStream({ url: `http://127.0.0.1:${port}`, channel: CHANNEL }),
      );
      clients = proxies.map(({ port }) => new NumberClient(port, { channel: CHANNEL }));
      await Promise.all(streams.map((stream) => stream.opens()));
      await eventually('all have joined', () => clients.every(({ recovered }) => recovered === true));
      const begin = performance.now();
      await eventually('the silence is over', () => performance.now() - begin > SECONDS * 1000, LIMIT_MS);

      for (const { cameAtMs, hasEnded } of streams) {
        expect(hasEnded).toBe(false);
        const pauses = cameAtMs.map((atMs, at) => (cameAtMs[at + 1] ?? performance.now()) - atMs);
        expect(Math.max(...pauses)).toBeLessThan(BEAT_MS + LATE_MS);
      }
      await numbers.publish([CHANNEL]);
      const all = [...streams, ...clients];
      await eventually('it is heard', () => all.every(({ heard }) => heard === 1));
      expect(all.flatMap(({ faults }) => faults)).toEqual([]);
    },
    LIMIT_MS,
  );
});
