import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { afterEach, describe, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { WebSocket } from 'ws';
import { Sessions } from '../../src/protocol/native/sessions.ts';
import { createLogLimit } from '../../src/telemetry/log-limit.ts';
import { acceptNativeSockets } from '../../src/transport/native-sockets.ts';
import { loaded, secret } from '../config/loading.ts';
import { listen } from '../support/loopback.ts';
import { tokenWith } from '../support/native-auth.ts';
import { createNativeCore } from '../support/native-core.ts';
import { nativeAccess } from '../support/native-http.ts';
import { createClientAddress } from '../../src/transport/client-address.ts';

const servers: Server[] = [];
const clients: WebSocket[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) client.terminate();
  await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
});

/** A server of native sockets; `connect` is what the application does when somebody wants to. */
async function serve(isRevoked: () => boolean, connect: (sessions: Sessions) => void) {
  const core = createNativeCore();
  await core.start();
  const server = createServer();
  servers.push(server);
  const sessions = new Sessions();
  acceptNativeSockets({
    server,
    actors: core.actors,
    loaded: loaded({ env: { JWT_SECRET: secret } }),
    access: nativeAccess([], isRevoked),
    publish: async () => ({ refused: 'unavailable' }),
    decider: {
      async connect() {
        connect(sessions);
        return undefined;
      },
    },
    sessions,
    newId: () => 's-1',
    metrics: core.metrics,
    logger: pino({ level: 'silent' }),
    limit: createLogLimit({ now: core.clock.now }),
    clock: core.clock,
    isDraining: () => false,
    addressOf: createClientAddress(false),
    connectLimit: () => 0,
    isRouted: () => false,
    socketCount: () => core.actors.sockets.size,
  });
  const port = await listen(server);
  const client = new WebSocket(`ws://127.0.0.1:${port}/`, ['signalbox.v1'], {
    headers: { authorization: `Bearer ${tokenWith()}` },
  });
  clients.push(client);
  return { client, sessions, whenEmpty: () => core.actors.sockets.whenEmpty() };
}

const closeOf = async (client: WebSocket): Promise<string> => {
  const [code, reason] = (await once(client, 'close')) as [number, Buffer];
  return `${code} ${reason}`;
};

describe('a native socket whose token is revoked', () => {
  test('before it asks is refused', async () => {
    const { client } = await serve(
      () => true,
      () => {},
    );
    expect(await closeOf(client)).toBe('4401 unauthorized');
  });

  test('while the application is asked about it is ended as if it had been there', async () => {
    let isRevoked = false;
    const { client, sessions, whenEmpty } = await serve(
      () => isRevoked,
      (there) => {
        // A revocation in between finds nobody to end.
        expect(there.of({ user: '5' })).toEqual([]);
        isRevoked = true;
      },
    );
    expect(await closeOf(client)).toBe('4410 ended');
    await whenEmpty();
    expect(sessions.size).toBe(0);
  });
});
