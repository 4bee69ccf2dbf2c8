import { describe, expect, test } from '@jest/globals';
import { eventually } from '../support/eventually.ts';
import { type OwnRedis, startRedis } from '../support/redis.ts';
import { createStage, publish, timesLogged } from './stage.ts';

/** Rows of the table at createRedisBroker: what reading takes, the epoch, and a database other than 0. */
const READING = '-@all +xread +xrange +xrevrange +xinfo|stream +time +multi +exec ~async-events-*';
const EPOCH = '+get +set +info ~signalbox:*';
const DATABASE = '+select';
const REALTIME = '-@all &realtime +subscribe +ping';

const USERS = [
  { name: 'superset', password: 'of-superset', rules: '~* &* +@all' },
  { name: 'signalbox', password: 'of-signalbox', rules: `${READING} ${EPOCH} ${DATABASE}` },
  { name: 'sidecar', password: 'of-sidecar', rules: READING },
  { name: 'listener', password: 'of-listener', rules: REALTIME },
];

describe('a Signalbox at a Redis with limited access', () => {
  const stage = createStage();

  const start = async (settings: Parameters<typeof startRedis>[0] = {}): Promise<OwnRedis> => {
    const redis = await startRedis({ users: USERS, defaultUserOff: true, ...settings });
    stage.atEnd(() => redis.stop());
    return redis;
  };
  const superset = ({ host, port }: OwnRedis) =>
    stage.connect({ host, port, username: 'superset', password: 'of-superset' });
  const envOf = ({ host, port }: OwnRedis, user: string) => ({
    REDIS_HOST: host,
    REDIS_PORT: `${port}`,
    REDIS_USERNAME: user,
    REDIS_PASSWORD: `of-${user}`,
  });

  test('delivers and replays with the rights to read streams and to keep the epoch, and warns of nothing', async () => {
    const redis = await start();
    const signalbox = await stage.start({
      ...envOf(redis, 'signalbox'),
      ALLOWED_ORIGINS: '*',
    });
    await stage.ready(signalbox);
    const first = await stage.open(signalbox, { channel: 'a' });
    const jobs = await publish(superset(redis), 'a', 2);
    await first.receives(2);
    first.drop();
    const missed = await publish(superset(redis), 'a', 5);
    const back = await stage.open(signalbox, { channel: 'a', lastId: first.lastId });
    await back.receives(5);
    expect([first.jobs, back.jobs]).toEqual([jobs, missed]);
    expect(signalbox.log.filter(({ level }) => level !== 'info' && level !== 'debug')).toEqual([]);
  });

  test("with the rights of the old sidecar's user it serves, and says once what it will not notice", async () => {
    const redis = await start();
    const signalbox = await stage.start(envOf(redis, 'sidecar'));
    await stage.ready(signalbox);
    const client = await stage.open(signalbox, { channel: 'a' });
    const jobs = await publish(superset(redis), 'a', 2);
    await client.receives(2);
    await redis.restart({ keepData: true });
    await stage.ready(signalbox);
    jobs.push(...(await publish(superset(redis), 'a', 2)));
    await client.receives(4);
    expect(client.jobs).toEqual(jobs);
    expect(timesLogged(signalbox, 'Redis refuses GET and SET')).toBe(1);
    expect(timesLogged(signalbox, 'Redis refuses INFO')).toBe(1);
  });

  test('realtime needs the right to subscribe, and no other', async () => {
    const redis = await start();
    const signalbox = await stage.start({
      ...envOf(redis, 'listener'),
      SIGNALBOX_SUPERSET_PROTOCOL: 'realtime',
    });
    await stage.ready(signalbox);
    const heard = await superset(redis).publish('realtime', JSON.stringify({ topic: 't', payload: 1 }));
    expect(heard).toBe(1);
  });

  test.each([
    ['a wrong password', { REDIS_PASSWORD: 'a guess' }, /WRONGPASS/],
    ['a user who may not read', { REDIS_USERNAME: 'listener', REDIS_PASSWORD: 'of-listener' }, /NOPERM/],
  ])('with %s it is up, not ready, and says why without saying the password', async (_, env, reason) => {
    const redis = await start();
    const signalbox = await stage.start({ ...envOf(redis, 'signalbox'), ...env });
    await eventually('it says so', () => timesLogged(signalbox, 'The broker cannot be read') === 1);
    expect(await signalbox.readyStatus()).toBe(503);
    expect((await fetch(`${signalbox.url}/health`)).status).toBe(200);
    const log = JSON.stringify(signalbox.log);
    expect(log).toMatch(reason);
    expect(log).not.toContain(env.REDIS_PASSWORD);
  });

  test('a unix socket is reached by REDIS_URL and by its path, with user and database', async () => {
    const redis = await start({ unixSocket: true });
    const path = redis.path as string;
    const publisher = stage.connect({ path, username: 'superset', password: 'of-superset', db: 3 });
    const url = `unix://signalbox:of-signalbox@${path}?db=3`;
    const { REDIS_USERNAME, REDIS_PASSWORD } = envOf(redis, 'signalbox');
    const byPath = { SIGNALBOX_REDIS_PATH: path, REDIS_USERNAME, REDIS_PASSWORD, REDIS_DB: '3' };
    for (const env of [{ REDIS_URL: url }, byPath]) {
      const signalbox = await stage.start(env);
      await stage.ready(signalbox);
      const client = await stage.open(signalbox, { channel: 'a' });
      const jobs = await publish(publisher, 'a', 2);
      await client.receives(2);
      expect(client.jobs).toEqual(jobs);
    }
  });
});
