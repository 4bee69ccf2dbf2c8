import { afterEach, describe, expect, test } from '@jest/globals';
import { WebSocket } from 'ws';
import { type Connection, connect, type WebSocketConstructor } from '../../client/src/index.ts';
import { type Relay, startRelay } from '../faults/relay.ts';
import { tokenWith } from '../native/client.ts';
import { eventually } from '../support/eventually.ts';
import { redisUrl, uniquePrefix } from '../support/redis.ts';
import { type Signalbox, startSignalbox } from '../support/signalbox.ts';

const API_KEY = 'an-api-key-of-the-integration-tests';
const EVENTS = 1_500;
const BATCH = 5;
/** A line lasts for so long at most; a user may have one ticket a second, and 20 at once. */
const LONGEST_LINE_MS = 900;

const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });

describe('a client whose line is cut at random under load', () => {
  let server: Signalbox;
  let relay: Relay;
  let connection: Connection;

  afterEach(async () => {
    connection.close();
    relay.stop();
    await server.stop();
  });

  test('hears every event once, in order, on each of its channels, and its own publishing counts once', async () => {
    const prefix = uniquePrefix();
    server = await startSignalbox({
      REDIS_URL: redisUrl(),
      SIGNALBOX_SUPERSET_PROTOCOL: 'off',
      SIGNALBOX_NATIVE_PREFIX: `${prefix}own:`,
      SIGNALBOX_API_KEYS: API_KEY,
    });
    await eventually('ready', async () => (await server.readyStatus()) === 200);
    relay = await startRelay(server.url);
    connection = connect(relay.url.replace('redis:', 'ws:'), {
      token: () => tokenWith(),
      WebSocket: WebSocket as unknown as WebSocketConstructor,
      backoffMs: 20,
      maxBackoffMs: 200,
    });
    const heard: Record<string, unknown[]> = { a: [], b: [], own: [] };
    for (const channel of Object.keys(heard)) {
      connection.subscribe(channel).on('*', (data) => void heard[channel]?.push(data));
    }
    await eventually('live', async () => connection.state === 'live');

    let cuts = 0;
    let isOver = false;
    const cutting = (async () => {
      while (!isOver) {
        await pause(100 + Math.random() * (LONGEST_LINE_MS - 100));
        relay.cut();
        relay.mend();
        cuts += 1;
      }
    })();
    const numbers = Array.from({ length: EVENTS }, (_, at) => at);
    const own: Promise<unknown>[] = [];
    for (let from = 0; from < EVENTS; from += BATCH) {
      const batch = numbers.slice(from, from + BATCH).flatMap((data) => [
        { channel: 'a', data },
        { channel: 'b', data },
      ]);
      const response = await fetch(`${server.url}/publish`, {
        method: 'POST',
        headers: { authorization: `Bearer ${API_KEY}`, 'content-type': 'application/json' },
        body: JSON.stringify(batch),
      });
      expect(response.status).toBe(201);
      if (from % 100 === 0) own.push(connection.publish('own', 'counted', from));
      await pause(20);
    }
    isOver = true;
    await cutting;
    await Promise.all(own);
    await eventually(
      'everything',
      () => heard['a']?.length === EVENTS && heard['b']?.length === EVENTS,
      20_000,
    );
    await eventually('live again', async () => connection.state === 'live');
    expect(cuts).toBeGreaterThan(5);
    expect(heard).toEqual({ a: numbers, b: numbers, own: numbers.filter((at) => at % 100 === 0) });
  });
});
