import { networkInterfaces } from 'node:os';
import { afterEach, describe, expect, test } from '@jest/globals';
import type {
  ChannelDetail,
  ChannelRow,
  Gathered,
  LogLine,
  Overview,
  ReaderDetail,
  Rows,
  SocketDetail,
  SocketRow,
} from '../../src/inspect/api.ts';
import { NativeClient, tokenWith } from '../native/client.ts';
import { eventually } from '../support/eventually.ts';
import { ADMIN_ENV, ADMIN_TOKEN, Operator } from '../support/operator.ts';
import { redisUrl, uniquePrefix } from '../support/redis.ts';
import { type Signalbox, startSignalbox } from '../support/signalbox.ts';

describe('the admin listener', () => {
  const ended: (() => unknown)[] = [];
  afterEach(async () => {
    for (const end of ended.splice(0).toReversed()) await end();
  });

  /** Processes of one installation. */
  const start = async (count = 1, env: Readonly<Record<string, string>> = {}): Promise<Signalbox[]> => {
    const prefix = `${uniquePrefix()}:`;
    const all = await Promise.all(
      Array.from({ length: count }, () =>
        startSignalbox({
          ...ADMIN_ENV,
          REDIS_URL: redisUrl(),
          SIGNALBOX_SUPERSET_PROTOCOL: 'off',
          SIGNALBOX_NATIVE_PREFIX: prefix,
          ...env,
        }),
      ),
    );
    for (const one of all) ended.push(() => one.stop());
    for (const one of all) await eventually('ready', async () => (await one.readyStatus()) === 200);
    return all;
  };
  const open = async ({ port }: Signalbox, user: string, channels: readonly string[] = []) => {
    const client = await NativeClient.open(port, { token: tokenWith({ sub: user }) });
    ended.push(() => client.cut());
    for (const channel of channels) await client.ask({ type: 'subscribe', channel });
    return client;
  };
  const socketOf = async (operator: Operator, user: string): Promise<SocketRow | undefined> => {
    const { body } = await operator.get<Rows<SocketRow>>(`/inspect/api/sockets?user=${user}`);
    return body.rows[0];
  };
  const detail = async (operator: Operator, id: string): Promise<SocketDetail> =>
    (await operator.get<SocketDetail>(`/inspect/api/sockets/${encodeURIComponent(id)}`)).body;

  describe('is for those who know its token', () => {
    test('and refuses everybody else everything but the page with its login form', async () => {
      const [signalbox] = await start();
      const operator = Operator.of(signalbox as Signalbox);
      const paths = [
        '/metrics',
        '/inspect/api/overview',
        '/inspect/api/overview/stream',
        '/inspect/api/sockets',
        '/inspect/api/sockets/a',
        '/inspect/api/sockets/a/recording',
        '/inspect/api/log?socket=a',
        '/inspect/api/stately',
        '/inspect/stately',
        '/inspect/stately/events',
        '/inspect/explain?event=1-0&socket=a',
      ];
      for (const path of paths) {
        for (const headers of [
          {},
          { authorization: 'Bearer not-the-token-of-this-listener' },
          { cookie: 'signalbox-admin-00000000=99999999999999.x' },
        ]) {
          const { status } = await fetch(operator.url + path, { headers });
          if (status !== 401 && status !== 429) throw new Error(`${path} answered ${status}`);
        }
        // In production it logs nobody in by an address.
        const inUrl = `${operator.url}${path}${path.includes('?') ? '&' : '?'}token=${ADMIN_TOKEN}`;
        expect((await fetch(inUrl)).status).toBe(401);
      }
      const page = await fetch(`${operator.url}/inspect/sockets?user=a&token=${ADMIN_TOKEN}`, {
        redirect: 'manual',
      });
      expect([page.status, page.headers.get('location'), page.headers.get('set-cookie')]).toEqual([
        303,
        '/inspect/sockets?user=a',
        null,
      ]);
    });

    test('who log in with it, and then ask with a cookie that pages of elsewhere cannot use', async () => {
      const [signalbox] = await start();
      const { url } = Operator.of(signalbox as Signalbox);
      const json = { 'content-type': 'application/json' };
      const login = (token: string, headers = {}) =>
        fetch(`${url}/inspect/login`, {
          method: 'POST',
          headers: { ...json, ...headers },
          body: JSON.stringify({ token }),
        });
      expect((await login('wrong')).status).toBe(401);
      expect((await login(ADMIN_TOKEN, { origin: 'http://evil.example' })).status).toBe(403);
      const response = await login(ADMIN_TOKEN, { origin: url });
      expect(response.status).toBe(204);
      const setCookie = response.headers.get('set-cookie') as string;
      expect(setCookie).toMatch(/HttpOnly.*SameSite=Strict|SameSite=Strict.*HttpOnly/);
      const cookie = setCookie.split(';')[0] as string;
      expect((await fetch(`${url}/inspect/api/overview`, { headers: { cookie } })).status).toBe(200);
      const change = (headers: Record<string, string>, body: string | undefined = '{}') =>
        fetch(`${url}/inspect/api/sockets/none/drop`, {
          method: 'POST',
          headers: { cookie, ...headers },
          body,
        });
      expect((await change({ ...json, origin: 'http://evil.example' })).status).toBe(403);
      expect((await change({ ...json, 'sec-fetch-site': 'cross-site' })).status).toBe(403);
      expect((await change({ 'content-type': 'text/plain', origin: url })).status).toBe(415);
      expect((await change({ ...json, origin: url })).status).toBe(404);
    });

    test('also where it listens on another address than loopback', async () => {
      const outside = Object.values(networkInterfaces())
        .flat()
        .find((address) => address?.family === 'IPv4' && !address.internal)?.address;
      if (outside === undefined) throw new Error('this machine has no other address to ask from');
      const [signalbox] = await start(1, { SIGNALBOX_ADMIN_HOST: '0.0.0.0' });
      const { port } = new URL(Operator.of(signalbox as Signalbox).url);
      const ask = (headers = {}) => fetch(`http://${outside}:${port}/inspect/api/overview`, { headers });
      expect((await ask()).status).toBe(401);
      expect((await ask({ authorization: `Bearer ${ADMIN_TOKEN}` })).status).toBe(200);
      const page = await fetch(`http://${outside}:${port}/inspect`);
      expect(page.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
      expect(page.headers.get('x-frame-options')).toBe('DENY');
    });
  });

  test('shows every process of the installation, at any of them', async () => {
    const [a, b] = (await start(2)) as [Signalbox, Signalbox];
    await open(a, 'anna', ['news']);
    await open(b, 'bert', ['news']);
    for (const operator of [Operator.of(a), Operator.of(b)]) {
      const overview = await eventually('both answer', async () => {
        const { body } = await operator.get<Overview>('/inspect/api/overview');
        return body.answers.length === 2 ? body : undefined;
      });
      expect(overview.unanswered).toEqual([]);
      for (const one of overview.answers) {
        expect(one).toMatchObject({ isReady: true, broker: { name: 'redis' } });
        expect(one.sockets.live).toBe(1);
        expect(one.readers.map(({ state, feed }) => [feed, state])).toEqual([['native', 'live']]);
        expect(one.broker.roundTripMs).toBeGreaterThanOrEqual(0);
      }
      const { body } = await operator.get<Rows<SocketRow>>('/inspect/api/sockets?channel=news&sort=user');
      expect(body.rows.map(({ user }) => user)).toEqual(['anna', 'bert']);
      expect(body).toMatchObject({ matched: 2, total: 2, offset: 0, unanswered: [] });
      const anna = body.rows[0] as SocketRow;
      expect(anna).toMatchObject({
        transport: 'websocket',
        protocol: 'native',
        state: 'live',
        address: '127.0.0.1',
        lagMs: 0,
        bufferedBytes: 0,
      });
      expect(anna.channels).toContain('news');
      expect(await detail(operator, anna.id)).toMatchObject({ id: anna.id, user: 'anna' });
      const channels = await operator.get<Rows<ChannelRow>>('/inspect/api/channels?text=news');
      expect(channels.body.rows).toHaveLength(2);
      const channel = await operator.get<Gathered<ChannelDetail>>('/inspect/api/channels/native/news');
      expect(channel.body.answers.map(({ sockets }) => sockets.length)).toEqual([1, 1]);
      const reader = await operator.get<Gathered<ReaderDetail>>(
        `/inspect/api/readers/${encodeURIComponent('native/reader:firehose')}`,
      );
      expect(reader.body.answers).toHaveLength(2);
      expect(reader.body.answers[0]?.active).toEqual(['live']);
      expect(reader.body.answers[0]?.transitions.map(({ to }) => to)).toContainEqual(['live']);
    }
  });

  test('tells once a second how everything is, for as long as somebody looks', async () => {
    const [signalbox] = (await start()) as [Signalbox];
    const { messages, end } = await Operator.of(signalbox).follow<Overview>('/inspect/api/overview/stream');
    await open(signalbox, 'anna');
    await eventually('it is there', () => messages.at(-1)?.answers[0]?.sockets.live === 1);
    end();
    expect(messages.length).toBeGreaterThanOrEqual(1);
  });

  test('does to a socket what an operator wants, on whatever process it is, and writes it down', async () => {
    const [a, b] = (await start(2)) as [Signalbox, Signalbox];
    const operator = Operator.of(b);
    const client = await open(a, 'anna', ['news']);
    const publisher = await open(b, 'bert');
    const { id } = await eventually<SocketRow>('found', () => socketOf(operator, 'anna'));
    const act = (action: string, body: object = {}) =>
      operator.post(`/inspect/api/sockets/${id}/${action}`, body);

    expect((await act('ping')).status).toBe(200);
    await client.receives(({ type }) => type === 'ping');
    client.send({ type: 'pong' });
    await eventually('it answered', async () => (await detail(operator, id)).roundTripMs !== undefined);

    expect((await act('pause')).status).toBe(200);
    await publisher.ask({ type: 'publish', channel: 'news', topic: 't', data: 1 });
    await eventually('one is due to it', async () => {
      const { subscriptions, isPaused } = await detail(operator, id);
      return isPaused && subscriptions.find(({ channels }) => channels[0] === 'news')?.behind === 1;
    });
    expect((await detail(operator, id)).state).toBe('replaying');
    expect(client.events('news')).toEqual([]);
    expect((await act('resume')).status).toBe(200);
    expect(await client.hears('news', 1)).toEqual([1]);
    expect(await detail(operator, id)).toMatchObject({ isPaused: false, state: 'live' });

    expect((await act('explode')).status).toBe(404);
    expect((await act('disconnect', { word: 'a'.repeat(200) })).status).toBe(422);
    expect((await act('disconnect', { word: 'enough' })).status).toBe(200);
    expect((await client.closes()).reason).toBe('enough');
    const gone = await eventually('gone', async () => {
      const found = await detail(operator, id);
      return found.state === 'closed' ? found : undefined;
    });
    expect(gone.closed?.reason).toBe('ended');
    expect((await act('ping')).status).toBe(404);

    const dropped = await open(a, 'carl');
    const carl = await eventually<SocketRow>('found', () => socketOf(operator, 'carl'));
    await operator.post(`/inspect/api/sockets/${carl.id}/drop`);
    expect((await dropped.closes()).code).toBe(1006);
    const audit = a.log.filter(({ message }) => String(message).startsWith('An operator did this'));
    expect(audit.map(({ action, socket, by }) => [action, socket, by])).toEqual([
      ['ping', id, '127.0.0.1'],
      ['pause', id, '127.0.0.1'],
      ['resume', id, '127.0.0.1'],
      ['disconnect', id, '127.0.0.1'],
      ['drop', carl.id, '127.0.0.1'],
    ]);
  });

  test('tells live what happens to a socket, a user and a channel, wherever that is', async () => {
    const [a, b] = (await start(2)) as [Signalbox, Signalbox];
    const operator = Operator.of(b);
    const followed = await Promise.all(
      ['user=anna', 'channel=news', 'user=nobody'].map((of) =>
        operator.follow<LogLine>(`/inspect/api/log?${of}`),
      ),
    );
    ended.push(() => followed.forEach(({ end }) => end()));
    await eventually('it is watched there', async () => {
      const client = await open(a, 'anna', ['news']);
      client.cut();
      return followed[0]?.messages.some(({ kind }) => kind === 'closed');
    });
    const client = await open(a, 'anna', ['news']);
    const publisher = await open(b, 'bert');
    await publisher.ask({ type: 'publish', channel: 'news', topic: 't', data: { secret: 'hunter2' } });
    await client.hears('news', 1);
    for (const { messages } of followed.slice(0, 2)) {
      await eventually('it is told', () => messages.some(({ kind }) => kind === 'delivered'));
      const line = messages.find(({ kind }) => kind === 'delivered');
      expect(line).toMatchObject({ user: 'anna', channel: 'news', id: client.events('news')[0]?.id });
    }
    expect(followed[0]?.messages.map(({ kind }) => kind)).toContain('opened');
    expect(followed[2]?.messages).toEqual([]);
    expect(JSON.stringify(followed.map(({ messages }) => messages))).not.toContain('hunter2');
  });

  test('has the charts of the machines, and tells what it expected where it does not understand', async () => {
    const [signalbox] = (await start()) as [Signalbox];
    const operator = Operator.of(signalbox);
    for (const name of ['socket', 'channel', 'reader', 'canary', 'heartbeat', 'system']) {
      expect((await operator.get(`/inspect/api/machines/${name}`)).body).toMatchObject({ id: name });
    }
    const refused: [string, number, string][] = [
      ['/inspect/api/machines/train', 404, 'socket'],
      ['/inspect/api/sockets?limit=501', 422, 'limit'],
      ['/inspect/api/sockets?limit=many', 422, 'limit'],
      ['/inspect/api/sockets?colour=red', 422, 'colour'],
      ['/inspect/api/sockets?state=red', 422, 'state'],
      ['/inspect/api/sockets/none', 404, 'No process has it'],
      ['/inspect/api/nothing', 404, 'nothing at this address'],
      ['/inspect/api/log', 422, ''],
      ['/inspect/explain?event=x&socket=a', 422, 'event'],
      ['/inspect/explain?event=1-0', 422, 'socket or user'],
      ['/nothing', 404, 'nothing at this address'],
    ];
    for (const [path, status, word] of refused) {
      const answer = await operator.get(path);
      expect([path, answer.status]).toEqual([path, status]);
      expect(JSON.stringify(answer.body)).toContain(word);
    }
  });

  test('takes names of any length and letters, and HEAD of no stream', async () => {
    const [signalbox] = (await start()) as [Signalbox];
    const operator = Operator.of(signalbox);
    const name = `a/${'b'.repeat(198)}`;
    await open(signalbox, 'anna', [name]);
    const { status, body } = await operator.get<Gathered<ChannelDetail>>(
      `/inspect/api/channels/native/${encodeURIComponent(name)}`,
    );
    expect([status, body.answers[0]?.name]).toEqual([200, name]);
    for (const path of [
      '/inspect/api/overview/stream',
      '/inspect/api/log?user=a',
      '/inspect/stately/events',
    ]) {
      expect((await operator.send('HEAD', path)).status).toBe(404);
    }
  });

  test('says so where the journal is off, and shows what is known without it', async () => {
    const [signalbox] = (await start(1, { SIGNALBOX_INSPECT_JOURNAL_ENABLED: 'false' })) as [Signalbox];
    const operator = Operator.of(signalbox);
    await open(signalbox, 'anna', ['news']);
    for (const path of ['/inspect/explain?event=1-0&user=anna', '/inspect/api/log?user=anna']) {
      const { status, body } = await operator.get(path);
      expect([status, JSON.stringify(body)]).toEqual([
        503,
        expect.stringContaining('inspect.journal.enabled'),
      ]);
    }
    const anna = (await socketOf(operator, 'anna')) as SocketRow;
    expect(await detail(operator, anna.id)).toMatchObject({ user: 'anna', state: 'live', transitions: [] });
  });

  test("switches Stately's inspector on and off for all processes, and passes on what they do", async () => {
    const [a, b] = (await start(2)) as [Signalbox, Signalbox];
    const operator = Operator.of(b);
    const path = '/inspect/api/stately';
    expect((await operator.get(path)).body).toMatchObject({ on: false, unanswered: [] });
    expect((await operator.send('PUT', path, { user: 'anna' })).body).toMatchObject({
      on: true,
      filter: { user: 'anna' },
    });
    expect((await Operator.of(a).get(path)).body).toMatchObject({ on: true });
    const { messages, end } = await operator.follow<{ type: string; sessionId: string; name?: string }>(
      '/inspect/stately/events',
    );
    ended.push(end);
    await open(a, 'bert');
    await open(a, 'anna', ['news']);
    await eventually('it is shown', () => messages.some(({ type }) => type === '@xstate.snapshot'));
    const shown = messages.filter(({ type }) => type === '@xstate.actor').map(({ name }) => name);
    const anna = (await socketOf(operator, 'anna')) as SocketRow;
    expect(new Set(shown)).toEqual(new Set([`native/socket:${anna.id}`]));
    // Those of one process are not taken for those of another.
    expect(messages.every(({ sessionId }) => sessionId.startsWith(`${anna.instance}/`))).toBe(true);
    expect((await operator.send('DELETE', path)).body).toMatchObject({ on: false });
    expect((await operator.send('PUT', path, { colour: 'red' })).status).toBe(422);
  });
});
