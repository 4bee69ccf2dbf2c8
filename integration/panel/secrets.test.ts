import { afterEach, describe, expect, test } from '@jest/globals';
import type { LogLine, Rows, SocketRow } from '../../src/inspect/api.ts';
import { NativeClient, tokenWith } from '../native/client.ts';
import { eventually } from '../support/eventually.ts';
import { ADMIN_ENV, Operator } from '../support/operator.ts';
import { redisUrl, uniquePrefix } from '../support/redis.ts';
import { startSignalbox } from '../support/signalbox.ts';

/** In everything that a client or a publisher says and that is nobody else's business. */
const PLANTED = 'hunter2';

describe('what is planted in payloads, tokens and cookies', () => {
  const ended: (() => unknown)[] = [];
  afterEach(async () => {
    for (const end of ended.splice(0).toReversed()) await end();
  });

  test('is in no answer of the panel, no line of a log, no recording, no metric and no fact of the inspector', async () => {
    const apiKey = `api-key-${PLANTED}-0123456789`;
    const signalbox = await startSignalbox({
      ...ADMIN_ENV,
      REDIS_URL: redisUrl(),
      SIGNALBOX_SUPERSET_PROTOCOL: 'off',
      SIGNALBOX_NATIVE_PREFIX: `${uniquePrefix()}:`,
      SIGNALBOX_API_KEYS: apiKey,
      MAX_SOCKET_BUFFER_BYTES: '65536',
    });
    ended.push(() => signalbox.stop());
    await eventually('ready', async () => (await signalbox.readyStatus()) === 200);
    const operator = Operator.of(signalbox);
    await operator.send('PUT', '/inspect/api/stately', {});
    const facts = await operator.follow<unknown>('/inspect/stately/events');
    const lines = await operator.follow<LogLine>('/inspect/api/log?user=anna');
    const overviews = await operator.follow<unknown>('/inspect/api/overview/stream');
    ended.push(facts.end, lines.end, overviews.end);

    const token = tokenWith({ sub: 'anna', session: 's', note: PLANTED });
    const client = await NativeClient.open(signalbox.port, {
      token: '',
      headers: { cookie: `signalbox-token=${token}; other=${PLANTED}`, authorization: `Bearer ${token}` },
    });
    ended.push(() => client.cut());
    await client.ask({ type: 'subscribe', channel: 'news' });
    await client.ask({ type: 'publish', channel: 'news', topic: 't', data: { secret: PLANTED } });
    await client.ask({ type: 'ask', topic: 'question', data: PLANTED });
    client.send({ type: 'tell', topic: 'note', data: PLANTED });
    client.send(`{"type":"${PLANTED}`);
    const post = (path: string, body: object) =>
      fetch(signalbox.url + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${apiKey}` },
        body: JSON.stringify(body),
      });
    const published = await post('/publish', {
      channel: 'news',
      topic: 't',
      data: { secret: PLANTED },
      key: `key-${PLANTED}`,
      snapshot: true,
    });
    const { id } = (await published.json()) as { id: string };
    await post('/tell', { user: 'anna', topic: 'note', data: PLANTED });
    await eventually('delivered', () => lines.messages.some(({ kind }) => kind === 'delivered'));
    const { body: rows } = await operator.get<Rows<SocketRow>>('/inspect/api/sockets');
    const socket = (rows.rows[0] as SocketRow).id;
    // Full, caught up, refused, and gone.
    client.pause();
    for (let at = 0; at < 5; at += 1) {
      await post('/publish', { channel: 'news', topic: 't', data: PLANTED + 'x'.repeat(60_000) });
    }
    client.resume();
    await client.hears('news', 6);

    const paths = [
      '/inspect/api/overview',
      '/inspect/api/sockets',
      `/inspect/api/sockets/${socket}`,
      `/inspect/api/sockets/${socket}/recording`,
      '/inspect/api/channels',
      '/inspect/api/channels/native/news',
      `/inspect/api/readers/${encodeURIComponent('native/reader:firehose')}`,
      `/inspect/explain?event=${id}&socket=${socket}`,
      `/inspect/explain?event=${id}&user=anna`,
      '/inspect/api/stately',
      '/metrics',
    ];
    const said: Record<string, unknown> = {};
    for (const path of paths) {
      const { status, body } = await operator.get(path);
      expect([path, status]).toEqual([path, 200]);
      said[path] = body;
    }
    client.cut();
    await eventually('its end is told', () => lines.messages.some(({ kind }) => kind === 'closed'));
    said['after it has gone'] = (await operator.get(`/inspect/api/sockets/${socket}`)).body;
    await eventually('facts', () => facts.messages.length > 10);
    Object.assign(said, {
      facts: facts.messages,
      lines: lines.messages,
      overviews: overviews.messages,
      log: signalbox.log,
    });
    const leaks = Object.entries(said).filter(([, body]) => {
      const text = JSON.stringify(body);
      return text.includes(PLANTED) || text.includes(token) || text.includes(token.split('.')[2] as string);
    });
    expect(leaks).toEqual([]);
    // It was looked at where something is.
    expect(JSON.stringify(said)).toContain('anna');
    expect(lines.messages.map(({ kind }) => kind)).toContain('span');
  });
});
