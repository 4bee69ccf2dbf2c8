import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { WebSocket } from 'ws';
import { connect, type WebSocketConstructor } from '../../client/src/index.ts';
import { createSignalbox } from '../../src/index.ts';
import { pageAt } from '../../test/docs/pages.ts';
import { programBelow, Stage } from '../../test/docs/programs.ts';
import { makeCertificates } from '../support/certificates.ts';
import { eventually } from '../support/eventually.ts';
import { redisUrl, uniquePrefix } from '../support/redis.ts';

const toEnd: (() => unknown)[] = [];

afterEach(async () => {
  for (const end of toEnd.splice(0).toReversed()) await end();
});

/** What docs/library.md says and only a Redis or a certificate can show. */
describe('docs/library.md', () => {
  test('A publisher without a server: what it publishes and tells is heard', async () => {
    const env = {
      REDIS_URL: redisUrl(),
      SIGNALBOX_NATIVE_PREFIX: uniquePrefix(),
      SIGNALBOX_SUPERSET_PROTOCOL: 'off',
      SIGNALBOX_HOST: '127.0.0.1',
      PORT: '0',
      JWT_SECRET: 'a secret of the tests, long enough to be one',
      SIGNALBOX_DRAIN_MS: '0',
    };
    const signalbox = createSignalbox({
      env,
      logger: false,
      authenticate: () => ({ user: 'ann', channels: ['*'] }),
    });
    const { port } = await signalbox.start();
    toEnd.push(() => signalbox.stop());
    await eventually('ready', () => signalbox.isReady());
    const connection = connect(`ws://127.0.0.1:${port}`, {
      token: () => 'any',
      WebSocket: WebSocket as unknown as WebSocketConstructor,
    });
    toEnd.push(() => connection.close());
    const heard: unknown[] = [];
    const sport = connection.subscribe('sport');
    sport.on('article', (article) => void heard.push(article));
    connection.on('maintenance', (notice) => void heard.push(notice));
    await eventually('live', () => sport.state === 'live');
    const program = programBelow(pageAt('docs/library.md'), 'A publisher without a server');
    await new Stage().run(program.replace(/env: \{[^}]*\}/, 'env'), [], {
      env: { ...env, LOG_LEVEL: 'error' },
    });
    await eventually('heard', () => heard.length === 2);
    expect(heard).toEqual(expect.arrayContaining([{ title: 'Won' }, { at: '22:00' }]));
  });

  test('On a server of your own: https is the same', async () => {
    const {
      server: { cert, key },
    } = await makeCertificates();
    const host = createServer({ cert, key }, (_, response) => void response.end('mine'));
    const signalbox = createSignalbox({
      env: {},
      config: { drainMs: 0 },
      logger: false,
      server: host,
      path: '/live',
      authenticate: () => ({ user: 'ann' }),
    });
    await signalbox.start();
    host.listen(0, '127.0.0.1');
    await once(host, 'listening');
    toEnd.push(
      () => host.close(),
      () => signalbox.stop(),
    );
    const { port } = host.address() as AddressInfo;
    const socket = new WebSocket(`wss://127.0.0.1:${port}/live`, 'signalbox.v1', {
      rejectUnauthorized: false,
    });
    await once(socket, 'open');
    socket.send('{"type":"hello","ref":0}');
    const [welcome] = await once(socket, 'message');
    expect(JSON.parse(String(welcome))).toMatchObject({ type: 'welcome', user: 'ann' });
    socket.terminate();
  });
});
