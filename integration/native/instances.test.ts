import { afterEach, describe, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { eventually } from '../support/eventually.ts';
import { type SignalboxProcess, startProcess } from '../support/process.ts';
import { redisUrl, startRedis, uniquePrefix } from '../support/redis.ts';
import { type ClientOptions, type Frame, NativeClient, tokenWith } from './client.ts';

const API_KEY = 'an-api-key-of-the-integration-tests';

const ended: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ended.splice(0).toReversed()) await end();
});

/** One process of an installation, and what an application asks of it. */
interface Instance extends SignalboxProcess {
  /** What others call it. */
  readonly name: string;
  open(claims?: object): Promise<NativeClient>;
  post(path: string, body: object, token?: string): Promise<{ status: number; body: Frame }>;
}

/** Starts instances that meet in their Redis alone; what is called again joins the same installation. */
function installation(url = redisUrl(), env: Readonly<Record<string, string>> = {}) {
  const prefix = uniquePrefix();
  const startOne = async (): Promise<Instance> => {
    const started = await startProcess({
      REDIS_URL: url,
      SIGNALBOX_SUPERSET_PROTOCOL: 'off',
      SIGNALBOX_NATIVE_PREFIX: prefix,
      SIGNALBOX_API_KEYS: API_KEY,
      SIGNALBOX_DRAIN_MS: '0',
      ...env,
    });
    ended.push(() => started.end('SIGKILL'));
    const name = await eventually('it hears the others', () => nameIn(started.output()));
    return {
      ...started,
      name,
      open: (claims) => NativeClient.open(started.port, { token: tokenWith(claims) }),
      post: async (path, body, token = API_KEY) => {
        const response = await fetch(`http://127.0.0.1:${started.port}${path}`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
          body: JSON.stringify(body),
        });
        return { status: response.status, body: (await response.json()) as Frame };
      },
    };
  };
  const start = async (count: number): Promise<readonly Instance[]> => {
    const started: Instance[] = [];
    for (let at = 0; at < count; at += 1) started.push(await startOne());
    return started;
  };
  return Object.assign(start, { prefix });
}

const nameIn = (output: string): string | undefined =>
  output
    .split('\n')
    .filter((line) => line.includes('This instance hears the others'))
    .map((line) => (JSON.parse(line) as { readonly instance: string }).instance)
    .at(-1);

const tells = (client: NativeClient): unknown[] =>
  client.frames.filter(({ type }) => type === 'tell').map(({ topic, data }) => data ?? topic);

/** When the last of them has heard the last, it has heard all: what instances say is in one order. */
async function heardBy(clients: readonly NativeClient[], asked: Instance): Promise<unknown[][]> {
  expect((await asked.post('/tell', { everyone: true, topic: 'last' })).status).toBe(202);
  await Promise.all(clients.map((client) => client.receives(({ topic }) => topic === 'last')));
  return clients.map((client) => tells(client).filter((told) => told !== 'last'));
}

const refusalOf = (port: number, options: ClientOptions) => new NativeClient(port, options).closes();
const UNAUTHORIZED = { code: 4401, reason: 'unauthorized' };

describe('several instances', () => {
  test('what is told reaches a user, a session, a socket and everyone, each socket once, whoever was asked', async () => {
    const instances = await installation()(3);
    const [one, two, three] = instances as [Instance, Instance, Instance];
    const clients = await Promise.all([
      one.open({ sid: 'x' }),
      two.open({ sid: 'y' }),
      three.open({ sid: 'x' }),
      three.open({ sub: '6', sid: 'x' }),
      one.open({ sub: '6' }),
    ]);
    const socket = clients[1]?.frames[0]?.['socket'];
    for (const { post } of instances) {
      for (const target of [{ user: '5' }, { session: 'x' }, { socket }, { everyone: true }]) {
        const answer = await post('/tell', { ...target, topic: 't', data: Object.keys(target)[0] });
        expect(answer.status).toBe(202);
      }
    }
    const thrice = (...told: string[]) => [...told, ...told, ...told];
    expect(await heardBy(clients, one)).toEqual([
      thrice('user', 'session', 'everyone'),
      thrice('user', 'socket', 'everyone'),
      thrice('user', 'session', 'everyone'),
      thrice('session', 'everyone'),
      thrice('everyone'),
    ]);
  });

  test('what is published through one is heard on the others, on channels of a user and of a session too', async () => {
    const [one, two] = (await installation()(2)) as [Instance, Instance];
    const client = await two.open({ sid: 'x' });
    await client.ask({ type: 'subscribe', channel: 'sport' });
    const [publisher, stranger] = [await one.open({ sub: '6' }), await two.open({ sub: '7' })];
    await publisher.ask({ type: 'publish', channel: 'sport', topic: 't', data: 'by a client' });
    for (const channel of ['sport', 'user:5', 'session:x']) {
      const published = await one.post('/publish', { channel, data: channel });
      expect(published.status).toBe(201);
    }
    await one.post('/message', { username: '5', content: 'a message' });
    expect(await client.hears('sport', 2)).toEqual(['by a client', 'sport']);
    expect(await client.hears('user:5', 2)).toEqual(['user:5', 'a message']);
    expect(await client.hears('session:x', 1)).toEqual(['session:x']);
    await heardBy([stranger], one);
    expect(stranger.frames.filter(({ type }) => type === 'event')).toEqual([]);
  });

  test('a disconnect is counted over all; one that was killed is named until its heartbeat has run out', async () => {
    const [one, two, killed] = (await installation()(3)) as [Instance, Instance, Instance];
    const sids = ['a', 'b', 'c'];
    const clients = await Promise.all(
      [one, two, two, killed].flatMap((instance) => sids.map((sid) => instance.open({ sid }))),
    );
    const onOthers = clients.slice(0, 9);
    const disconnect = async (sid: string) =>
      (await one.post('/disconnect', { session: sid, reason: 'signed out' })).body;
    expect(await disconnect('a')).toEqual({ closed: 4, unconfirmed: [] });

    await killed.end('SIGKILL');
    expect(await disconnect('b')).toEqual({ closed: 3, unconfirmed: [killed.name] });
    const closed = onOthers.filter((_, at) => sids[at % 3] !== 'c');
    expect(await Promise.all(closed.map((client) => client.closes()))).toEqual(
      closed.map(() => ({ code: 4410, reason: 'signed out' })),
    );
    const left = onOthers.filter((client) => !closed.includes(client));
    expect((await heardBy(left, two)).length).toBe(3);

    await eventually(
      'it is not waited for any more',
      async () => {
        const { body } = await one.post('/disconnect', { channel: 'nobody-has-it' });
        return (body['unconfirmed'] as unknown[]).length === 0;
      },
      20_000,
    );
    expect(await disconnect('c')).toEqual({ closed: 3, unconfirmed: [] });
  });

  test('one that ends in order is not waited for', async () => {
    const [one, leaving] = (await installation()(2)) as [Instance, Instance];
    expect(await leaving.end('SIGTERM')).toBe(0);
    expect((await one.post('/disconnect', { user: '5' })).body).toEqual({ closed: 0, unconfirmed: [] });
  });

  test('a revoked token is refused everywhere, also by one that starts later; a later one is taken', async () => {
    const start = installation();
    const [one, two] = (await start(2)) as [Instance, Instance];
    const token = tokenWith({ sid: 'x' });
    const ticket = (await two.post('/ticket', {}, token)).body['ticket'];
    const stays = await one.open({ sub: '6' });
    expect((await one.post('/disconnect', { user: '5' })).status).toBe(200);

    const [three] = (await start(1)) as [Instance];
    const withTicket = { token: '', protocols: [`signalbox.ticket.${ticket}`] };
    for (const { port, post } of [one, two, three]) {
      expect(await refusalOf(port, { token })).toEqual(UNAUTHORIZED);
      expect(await refusalOf(port, withTicket)).toEqual(UNAUTHORIZED);
      expect((await post('/ticket', {}, token)).status).toBe(401);
      expect((await post('/publish', { channel: 'sport', data: 1 }, token)).status).toBe(401);
      const history = await fetch(`http://127.0.0.1:${port}/history?channel=sport`, {
        headers: { authorization: `Bearer ${token}` },
      });
      expect(history.status).toBe(401);
      const iat = Math.floor(Date.now() / 1000) + 1;
      const later = await NativeClient.open(port, { token: tokenWith({ sid: 'x', iat }) });
      expect(later.frames[0]).toMatchObject({ type: 'welcome', user: '5' });
      // Nobody goes on with the old one.
      expect(await later.ask({ type: 'refresh', token })).toMatchObject({ code: 'unauthorized' });
    }
    expect(await heardBy([stays], one)).toEqual([[]]);
  });

  test('one that is reconnecting to a Redis that was restarted hears what was said meanwhile', async () => {
    const redis = await startRedis();
    ended.push(() => redis.stop());
    const [one, two] = (await installation(redis.url)(2)) as [Instance, Instance];
    const clients = [await one.open(), await two.open(), await two.open({ sub: '6', sid: 'x' })];
    two.child.kill('SIGSTOP');
    await redis.restart({ keepData: true });
    await eventually('it is accepted', async () => {
      const { status } = await one.post('/tell', { everyone: true, topic: 'meanwhile' });
      return status === 202;
    });
    expect((await one.post('/disconnect', { session: 'x' })).body).toMatchObject({ closed: 0 });
    two.child.kill('SIGCONT');
    expect(await clients[2]?.closes()).toEqual({ code: 4410, reason: 'ended' });
    const heard = await heardBy(clients.slice(0, 2), two);
    expect(heard[1]).toEqual(heard[0]);
    expect(heard[0]).toContain('meanwhile');
  });

  test('a Redis that lost its data is told again whose tokens are revoked', async () => {
    const redis = await startRedis();
    const operator = new Redis({ ...redis.options });
    ended.push(
      () => redis.stop(),
      () => operator.disconnect(),
    );
    const start = installation(redis.url);
    const [one] = (await start(1)) as [Instance];
    const token = tokenWith();
    expect((await one.post('/disconnect', { user: '5' })).status).toBe(200);
    const before = await operator.zcard(`${start.prefix}$revoked`);
    await operator.flushall();
    await eventually('it is told', async () => (await operator.zcard(`${start.prefix}$revoked`)) === before);
    const [fresh] = (await start(1)) as [Instance];
    expect(await refusalOf(fresh.port, { token })).toEqual(UNAUTHORIZED);
  });

  test('the workers of one server are instances too', async () => {
    const start = installation(redisUrl(), { SIGNALBOX_WORKERS: '2' });
    const [server] = (await start(1)) as [Instance];
    const clients = await Promise.all(Array.from({ length: 6 }, (_, at) => server.open({ sid: `${at}` })));
    await server.post('/tell', { user: '5', topic: 't', data: 1 });
    expect(await heardBy(clients, server)).toEqual(clients.map(() => [1]));
    const names = server.output().match(/This instance hears the others/g);
    expect(names).toHaveLength(2);
    const token = tokenWith();
    expect((await server.post('/disconnect', { user: '5' })).body).toEqual({ closed: 6, unconfirmed: [] });
    await Promise.all(clients.map((client) => client.closes()));
    // Connections are dealt out in turn.
    for (let at = 0; at < 4; at += 1) expect(await refusalOf(server.port, { token })).toEqual(UNAUTHORIZED);
  });
});
