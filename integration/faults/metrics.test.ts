import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { WebSocket } from 'ws';
import { eventually } from '../support/eventually.ts';
import { redisUrl, uniquePrefix } from '../support/redis.ts';
import { type Signalbox, startSignalbox } from '../support/signalbox.ts';
import { Publisher, token } from '../support/superset.ts';
import { clientFrame, exchange, openRaw, upgrade } from './raw.ts';
import { startStatsdSink, type StatsdSink } from './statsd-sink.ts';

/** Every figure that the old sidecars had. */
const SUPERSET_COUNTERS = [
  'ws_client_backpressure_disconnect',
  'ws_client_send_error',
  'ws_connected_client',
  'ws_connection_rejected',
  'ws_token_expired_disconnect',
  'ws_upgrade_rejected',
];

const CLIENTS = {
  streams: (claims: object) => `async-token=${token({ channel: 'user:5', ...claims })}`,
  realtime: (claims: object) =>
    `superset-ws-token=${token({
      aud: 'superset-websocket',
      iss: 'superset',
      sub: '5',
      principal_type: 'user',
      channel: 'user:5',
      exp: Math.floor(Date.now() / 1000) + 900,
      ...claims,
    })}`,
};

describe('F1.26 counters only: no gauge of connected clients, no delivered/dropped/replayed counts', () => {
  const ended: (() => unknown)[] = [];
  let prefix: string;
  let publisher: Publisher;
  let sink: StatsdSink;
  beforeEach(async () => {
    prefix = uniquePrefix();
    sink = await startStatsdSink();
    publisher = new Publisher(redisUrl(), prefix);
    ended.unshift(
      () => sink.stop(),
      () => publisher.close(),
    );
    await publisher.redis.connect();
  });
  afterEach(async () => {
    for (const end of ended.splice(0)) await end();
  });

  const start = async (env: Readonly<Record<string, string>>): Promise<Signalbox> => {
    const signalbox = await startSignalbox({
      REDIS_URL: redisUrl(),
      REDIS_STREAM_PREFIX: prefix,
      REALTIME_CHANNEL_PREFIX: prefix,
      SIGNALBOX_NATIVE_PREFIX: `${prefix}own:`,
      ...sink.env,
      ...env,
    });
    ended.unshift(() => signalbox.stop());
    await eventually('ready', async () => (await signalbox.readyStatus()) === 200);
    return signalbox;
  };
  const open = async ({ port }: Signalbox, cookie: string): Promise<WebSocket> => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/`, { headers: { cookie } });
    socket.on('error', () => {});
    await once(socket, 'open');
    return socket;
  };
  /** One event for the clients, by the way of the protocol. */
  const publish = async (protocol: keyof typeof CLIENTS, filler = ''): Promise<void> => {
    if (protocol === 'streams') {
      await publisher.publish('user:5', { filler });
      return;
    }
    const envelope = { topic: 't', scope: 'user', payload: filler, routes: ['user:5'] };
    await publisher.redis.publish(`${prefix}realtime`, JSON.stringify(envelope));
  };

  test.each(['streams', 'realtime'] as const)(
    "%s: all of Superset's counters come over UDP under their names",
    async (protocol) => {
      const cookie = CLIENTS[protocol];
      const signalbox = await start({
        SIGNALBOX_SUPERSET_PROTOCOL: protocol,
        STATSD_GLOBAL_TAGS: 'env:test,superset',
        MAX_TOTAL_CONNECTIONS: '2',
        MAX_SOCKET_BUFFER_BYTES: '65536',
        SIGNALBOX_SLOW_CONSUMER_TIMEOUT_MS: '200',
      });
      const emptied = (): Promise<boolean> =>
        eventually('no socket is left', () => sink.gauge('signalbox.sockets') === 0);

      expect((await exchange(signalbox.port, upgrade({}))).status).toBe(401);

      // A socket that is closing when an event comes, beside one that has the event.
      const closing = await openRaw(signalbox.port, { cookie: cookie({}) });
      const witness = await open(signalbox, cookie({}));
      closing.write(clientFrame(0x8, Buffer.from([3, 232])));
      await once(closing, 'data');
      const heard = once(witness, 'message');
      await publish(protocol);
      await heard;

      // A third while both of them are still there.
      const third = await open(signalbox, cookie({}));
      expect((await once(third, 'close'))[0]).toBe(1013);
      closing.destroy();
      witness.close();
      await emptied();

      const expiring = await open(signalbox, cookie({ exp: Date.now() / 1000 + 0.5 }));
      await once(expiring, 'close');
      await emptied();

      const slow = await open(signalbox, cookie({}));
      slow.pause();
      await eventually('it is too slow', async () => {
        for (let count = 0; count < 20; count += 1) await publish(protocol, 'x'.repeat(50_000));
        return sink.total('ws_client_backpressure_disconnect') > 0;
      });
      slow.terminate();

      await eventually('all have come', () => SUPERSET_COUNTERS.every((name) => sink.total(name) > 0));
      const counted = SUPERSET_COUNTERS.map((name) => [name, sink.total(name, 'env:test')]);
      expect(Object.fromEntries(counted)).toEqual({
        ws_client_backpressure_disconnect: 1,
        ws_client_send_error: 1,
        ws_connected_client: 4,
        ws_connection_rejected: 1,
        ws_token_expired_disconnect: 1,
        ws_upgrade_rejected: 1,
      });
      expect(sink.lines).toContain('ws_upgrade_rejected:1|c|#env:test,superset');
    },
  );

  test('beside them: sockets now, events delivered, replayed and not delivered', async () => {
    const signalbox = await start({});
    const { port } = signalbox;
    const first = await open(signalbox, CLIENTS.streams({}));
    let lastId = '';
    first.on('message', (text: Buffer) => {
      lastId = (JSON.parse(text.toString()) as { id: string }).id;
    });
    await publish('streams');
    await eventually('it has come', () => lastId !== '');
    await eventually('one socket', () => sink.gauge('signalbox.sockets') === 1);
    first.terminate();
    await eventually('none', () => sink.gauge('signalbox.sockets') === 0);
    await publish('streams');
    const back = await openRaw(port, { target: `/?last_id=${lastId}`, cookie: CLIENTS.streams({}) });
    await eventually('it is replayed', () => sink.total('signalbox.events_replayed') === 1);
    expect(sink.total('signalbox.events_delivered')).toBe(2);
    expect(sink.total('signalbox.events_routed')).toBe(2);
    back.destroy();
  });
});
