import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { WebSocket } from 'ws';
import { startNaiveRealtime } from '../../test/faults/naive-realtime.ts';
import { eventually } from '../support/eventually.ts';
import { type OwnRedis, redisUrl, startRedis, uniquePrefix } from '../support/redis.ts';
import { JWT_SECRET, type Signalbox, startSignalbox } from '../support/signalbox.ts';
import { token } from '../support/superset.ts';
import { exchange, upgrade } from './raw.ts';

const PREVIOUS_SECRET = 'the-secret-before-the-rotation-0123456789';

interface Sent {
  readonly topic: string;
  readonly payload?: unknown;
}

const ended: (() => unknown)[] = [];
let prefix: string;
beforeEach(() => {
  prefix = uniquePrefix();
});
afterEach(async () => {
  for (const end of ended.splice(0)) await end();
});

/** What Superset's Flask side signs for a user, or for whom the claims say. */
const claimsOf = (claims: Readonly<Record<string, unknown>>) => ({
  aud: 'superset-websocket',
  iss: 'superset',
  sub: '5',
  principal_type: 'user',
  channel: 'user:5',
  exp: Math.floor(Date.now() / 1000) + 900,
  ...claims,
});
const cookieOf = (claims: Readonly<Record<string, unknown>> = {}, secret = JWT_SECRET): string =>
  `superset-ws-token=${token(claimsOf(claims), secret)}`;

interface Tab {
  readonly socket: WebSocket;
  readonly texts: string[];
  topics(): string[];
  closed: { code: number; reason: string; atMs: number } | undefined;
}
const openTab = async (
  { port }: Pick<Signalbox, 'port'>,
  { cookie = cookieOf(), target = '/' } = {},
): Promise<Tab> => {
  const socket = new WebSocket(`ws://127.0.0.1:${port}${target}`, { headers: { cookie } });
  const tab: Tab = {
    socket,
    texts: [],
    topics: () => tab.texts.map((text) => (JSON.parse(text) as Sent).topic),
    closed: undefined,
  };
  socket.on('message', (text: Buffer) => tab.texts.push(text.toString()));
  socket.on('close', (code, reason) => {
    tab.closed = { code, reason: String(reason), atMs: Date.now() };
  });
  socket.on('error', () => {});
  await eventually('it is open', () => socket.readyState === WebSocket.OPEN);
  return tab;
};

const start = async (env: Readonly<Record<string, string>> = {}): Promise<Signalbox> => {
  const signalbox = await startSignalbox({
    SIGNALBOX_SUPERSET_PROTOCOL: 'realtime',
    REDIS_URL: redisUrl(),
    REALTIME_CHANNEL_PREFIX: prefix,
    SIGNALBOX_NATIVE_PREFIX: `${prefix}own:`,
    ...env,
  });
  ended.unshift(() => signalbox.stop());
  return signalbox;
};
const ready = (signalbox: Signalbox, status = 200): Promise<boolean> =>
  eventually(`/ready is ${status}`, async () => (await signalbox.readyStatus()) === status);
const publisherTo = (url = redisUrl()): Redis => {
  const redis = new Redis(url);
  redis.on('error', () => {});
  ended.unshift(() => redis.disconnect());
  return redis;
};
/** Publishes an envelope as Python writes it; what is no object goes as it is. */
const publish = (redis: Redis, envelope: object | string): Promise<number> =>
  redis.publish(
    `${prefix}realtime`,
    typeof envelope === 'string' ? envelope : JSON.stringify(envelope).replaceAll(',"', ', "'),
  );
const mark = { topic: 'mark', scope: 'authenticated_global', payload: {} };
/** Waits until everything that was published before has come, or never will. */
const marked = async (redis: Redis, tabs: readonly Tab[]): Promise<void> => {
  await publish(redis, mark);
  await eventually('the mark has come', () => tabs.every((tab) => tab.topics().includes('mark')));
};

describe('F2.3 one envelope routed to both `user:5` and `user:5:tabA` reaches that tab twice', () => {
  /** What the two tabs of a user have of a message to the user and to one of them. */
  const topicsOfTabs = async (subject: Pick<Signalbox, 'port'>): Promise<string[][]> => {
    const redis = publisherTo();
    const tabs = await Promise.all(
      ['/?tab_id=tabA', '/ws?tab_id=tabB'].map((target) => openTab(subject, { target })),
    );
    const routes = ['user:5', 'user:5:tabA', 'user:5', 'nobody'];
    await publish(redis, { topic: 'both', scope: 'tab', payload: 1, routes });
    await publish(redis, { topic: 'one', scope: 'tab', payload: 1, routes: ['user:5:tabB'] });
    await marked(redis, tabs);
    return tabs.map((tab) => tab.topics());
  };

  test('it reaches it once', async () => {
    const signalbox = await start();
    await ready(signalbox);
    expect(await topicsOfTabs(signalbox)).toEqual([
      ['both', 'mark'],
      ['both', 'one', 'mark'],
    ]);
  });

  test('with each route served by itself the check fails', async () => {
    const naive = await startNaiveRealtime(redisUrl(), `${prefix}realtime`);
    ended.unshift(() => naive.stop());
    expect(await topicsOfTabs(naive)).toEqual([
      ['both', 'both', 'mark'],
      ['both', 'one', 'mark'],
    ]);
  });

  test('the routes never leave the server, and reach nobody else', async () => {
    const signalbox = await start();
    await ready(signalbox);
    const redis = publisherTo();
    const [tab, stranger] = await Promise.all([
      openTab(signalbox),
      openTab(signalbox, { cookie: cookieOf({ sub: '6', channel: 'user:6' }) }),
    ]);
    const payload = { task_id: 't', status: 'success' };
    await publish(redis, { topic: 'task.status', scope: 'user', payload, routes: ['user:5'] });
    await marked(redis, [tab, stranger]);
    expect(JSON.parse(tab.texts[0] as string)).toEqual({ topic: 'task.status', payload });
    expect(stranger.topics()).toEqual(['mark']);
  });

  test('a broadcast reaches every socket once, whatever its routes', async () => {
    const signalbox = await start();
    await ready(signalbox);
    const redis = publisherTo();
    const tabs = await Promise.all(
      ['/', '/?tab_id=a', '/?tab_id=a', '/?tab_id=not+a+tab'].map((target) => openTab(signalbox, { target })),
    );
    await publish(redis, {
      topic: 'entity.changed',
      scope: 'authenticated_global',
      payload: { id: 42 },
      routes: ['user:5', 'user:5:a'],
    });
    await marked(redis, tabs);
    for (const tab of tabs) expect(tab.topics()).toEqual(['entity.changed', 'mark']);
  });

  test('F2.9 broadcast is one synchronous loop over all sockets: 500 of them have it once, encoded once', async () => {
    const signalbox = await start();
    await ready(signalbox);
    const redis = publisherTo();
    const tabs = await Promise.all(Array.from({ length: 500 }, () => openTab(signalbox)));
    await marked(redis, tabs);
    for (const tab of tabs) expect(tab.texts).toEqual(['{"topic":"mark","payload":{}}']);
  });
});

describe('malformed envelopes', () => {
  test('are skipped, and what follows them is delivered', async () => {
    const signalbox = await start();
    await ready(signalbox);
    const redis = publisherTo();
    const tab = await openTab(signalbox);
    for (const bad of [
      'not json',
      'null',
      '[]',
      '"text"',
      '\u0000',
      '{"topic": "x"}',
      '{"topic": "", "scope": "tab", "routes": ["user:5"]}',
      '{"topic": 5, "scope": "tab", "routes": ["user:5"]}',
      '{"topic": "x", "scope": "tab", "routes": "user:5"}',
      '{"topic": "x", "scope": "tab", "routes": ["user:5", ""]}',
      '{"topic": "x", "scope": "tab", "routes": ["$everyone"]}',
      '{"topic": "x", "scope": "tab", "routes": ["__proto__", "constructor"]}',
    ]) {
      await publish(redis, bad);
    }
    await publish(redis, '{"topic": "no payload", "scope": "tab", "routes": ["user:5"]}');
    await marked(redis, [tab]);
    expect(tab.texts).toEqual(['{"topic":"no payload"}', '{"topic":"mark","payload":{}}']);
  });
});

describe('who may come in', () => {
  const { exp: _, ...endless } = claimsOf({});
  const guest = { principal_type: 'guest', sub: 'guest:9', channel: 'guest:9' };

  test.each([
    ['a user', cookieOf()],
    ['a guest', cookieOf(guest)],
    ['a token of the previous secret', cookieOf({}, PREVIOUS_SECRET)],
  ])('%s may', async (_name, cookie) => {
    const signalbox = await start({ PREVIOUS_JWT_SECRET: PREVIOUS_SECRET });
    await ready(signalbox);
    const tab = await openTab(signalbox, { cookie });
    await marked(publisherTo(), [tab]);
    expect(tab.topics()).toEqual(['mark']);
  });

  test.each([
    ['a guest with the name of a user', cookieOf({ principal_type: 'guest', channel: '5' })],
    ['a user with the channel of somebody else', cookieOf({ channel: 'user:6' })],
    ['another audience', cookieOf({ aud: 'superset' })],
    ['another issuer', cookieOf({ iss: 'other' })],
    ['another secret', cookieOf({}, 'another-secret-of-32-bytes-or-more')],
    ['a token without expiry', `superset-ws-token=${token(endless)}`],
    ['a token that has expired', cookieOf({ exp: 1 })],
  ])('%s may not', async (_name, cookie) => {
    const signalbox = await start({ PREVIOUS_JWT_SECRET: PREVIOUS_SECRET });
    await ready(signalbox);
    const answer = await exchange(signalbox.port, upgrade({ cookie }));
    expect([answer.status, answer.body]).toEqual([401, 'bad token']);
  });

  test('a guest gets what is routed to it', async () => {
    const signalbox = await start();
    await ready(signalbox);
    const redis = publisherTo();
    const tab = await openTab(signalbox, { cookie: cookieOf(guest), target: '/?tab_id=t' });
    await publish(redis, { topic: 'a', scope: 'user', payload: 1, routes: ['guest:9'] });
    await publish(redis, { topic: 'b', scope: 'tab', payload: 1, routes: ['guest:9:t'] });
    await publish(redis, { topic: 'c', scope: 'user', payload: 1, routes: ['user:guest:9'] });
    await marked(redis, [tab]);
    expect(tab.topics()).toEqual(['a', 'b', 'mark']);
  });
});

describe('F2.4 token expiry enforced only in the ping pass', () => {
  test('the socket ends at its time with 1008, and nothing is delivered after it', async () => {
    const signalbox = await start();
    await ready(signalbox);
    const redis = publisherTo();
    const expiresAtMs = Date.now() + 1_500;
    const tab = await openTab(signalbox, { cookie: cookieOf({ exp: expiresAtMs / 1000 }) });
    let published = 0;
    await eventually('it is closed', async () => {
      await publish(redis, { topic: 't', scope: 'user', payload: published++, routes: ['user:5'] });
      return tab.closed !== undefined;
    });
    expect(tab.closed).toMatchObject({ code: 1008, reason: 'token expired' });
    expect(tab.closed?.atMs).toBeGreaterThanOrEqual(expiresAtMs - 5);
    expect(tab.closed?.atMs).toBeLessThan(expiresAtMs + 400);
    expect(tab.texts.length).toBeLessThanOrEqual(published);
  });
});

describe('F2.5 no replay at all: the Redis gap', () => {
  const redisOfItsOwn = async (): Promise<OwnRedis> => {
    const redis = await startRedis();
    ended.unshift(() => redis.stop());
    return redis;
  };

  test('sockets are closed with 1012, upgrades get 503 until it is back, and then all is live', async () => {
    const redis = await redisOfItsOwn();
    const signalbox = await start({ REDIS_URL: redis.url });
    await ready(signalbox);
    const tab = await openTab(signalbox);
    await redis.kill();
    await eventually('it is closed', () => tab.closed !== undefined);
    expect(tab.closed).toMatchObject({ code: 1012, reason: 'realtime backend unavailable' });
    await ready(signalbox, 503);
    const refused = await exchange(signalbox.port, upgrade({ cookie: cookieOf() }));
    expect([refused.status, refused.body]).toEqual([503, 'not ready']);
    await redis.restart({ keepData: false });
    await ready(signalbox);
    const back = await openTab(signalbox);
    await marked(publisherTo(redis.url), [back]);
    expect(back.topics()).toEqual(['mark']);
  });

  test('F2.7 503 written without Content-Length/Connection headers: it has both, and the word', async () => {
    const redis = await redisOfItsOwn();
    await redis.kill();
    const signalbox = await start({ REDIS_URL: redis.url });
    expect(await signalbox.readyStatus()).toBe(503);
    const { status, headers, body } = await exchange(signalbox.port, upgrade({ cookie: cookieOf() }));
    expect([status, body]).toEqual([503, 'not ready']);
    expect(headers).toMatchObject({ connection: 'close', 'content-length': String(body.length) });
  });

  test('F2.8 retry chains can overlap: after any number of losses there is one subscription', async () => {
    const redis = await redisOfItsOwn();
    const signalbox = await start({ REDIS_URL: redis.url });
    for (let loss = 0; loss < 4; loss += 1) {
      await ready(signalbox);
      await redis.restart({ keepData: false });
      await eventually('it is noticed', () => staleLines(signalbox) === loss + 1);
    }
    await ready(signalbox);
    const publisher = publisherTo(redis.url);
    const tab = await openTab(signalbox);
    expect(await publisher.pubsub('NUMSUB', `${prefix}realtime`)).toEqual([`${prefix}realtime`, 1]);
    await marked(publisher, [tab]);
    expect(tab.topics()).toEqual(['mark']);
  });

  const staleLines = ({ log }: Signalbox): number =>
    log.filter(({ feed, message }) => feed === 'superset' && String(message).includes('the reader is stale'))
      .length;
});

describe('F2.6 closed sockets stay until the ping pass', () => {
  test('a tab that comes back finds the place that it left, and has each message once', async () => {
    const signalbox = await start({ MAX_CONNECTIONS_PER_CHANNEL: '1' });
    await ready(signalbox);
    const redis = publisherTo();
    for (let round = 0; round < 5; round += 1) {
      const tab = await openTab(signalbox);
      await marked(redis, [tab]);
      expect([tab.topics(), tab.closed]).toEqual([['mark'], undefined]);
      tab.socket.close();
      await eventually('it is closed', () => tab.closed !== undefined);
    }
  });
});
