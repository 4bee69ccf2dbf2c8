import { copyFile } from 'node:fs/promises';
import { describe, expect, test } from '@jest/globals';
import { makeCertificates } from '../support/certificates.ts';
import { eventually } from '../support/eventually.ts';
import { type OwnRedis, startRedis } from '../support/redis.ts';
import { startSignalbox } from '../support/signalbox.ts';
import { createStage, publish, timesLogged } from './stage.ts';

describe('a Signalbox with TLS to Redis', () => {
  const stage = createStage();

  const startTls = async (tls: true | 'mutual' | 'misnamed'): Promise<OwnRedis> => {
    const redis = await startRedis({ tls, password: 'p@ss' });
    stage.atEnd(() => redis.stop());
    return redis;
  };
  const filesOf = ({ certificates }: OwnRedis) =>
    certificates?.files as NonNullable<typeof certificates>['files'];
  const envOf = (redis: OwnRedis) => ({
    REDIS_HOST: redis.host,
    REDIS_PORT: `${redis.port}`,
    REDIS_PASSWORD: 'p@ss',
    REDIS_SSL: 'true',
    SIGNALBOX_REDIS_CA: filesOf(redis).ca,
  });
  /** What is published, and what a socket gets of it. */
  const deliver = async (env: Readonly<Record<string, string>>, { options }: OwnRedis) => {
    const signalbox = await stage.start(env);
    await stage.ready(signalbox);
    const client = await stage.open(signalbox, { channel: 'a' });
    const published = await publish(stage.connect(options), 'a', 3);
    await client.receives(3);
    return { published, received: client.jobs };
  };
  /** Why it cannot read, while it is up. */
  const refusalOf = async (env: Readonly<Record<string, string>>): Promise<string> => {
    const signalbox = await stage.start(env);
    await eventually('it says so', () => timesLogged(signalbox, 'The broker cannot be read') === 1);
    expect(await signalbox.readyStatus()).toBe(503);
    return String(signalbox.log.find(({ reason }) => reason !== undefined)?.['reason']);
  };

  test('delivers over REDIS_SSL with an authority of its own, and over a rediss:// URL', async () => {
    const redis = await startTls(true);
    const { SIGNALBOX_REDIS_CA } = envOf(redis);
    for (const env of [envOf(redis), { REDIS_URL: redis.url, SIGNALBOX_REDIS_CA }]) {
      const { published, received } = await deliver(env, redis);
      expect(received).toEqual(published);
    }
  });

  test('shows a client certificate to a server that insists on one, and is refused without', async () => {
    const redis = await startTls('mutual');
    const { clientCert, clientKey } = filesOf(redis);
    const env = envOf(redis);
    const shown = { ...env, SIGNALBOX_REDIS_CERT: clientCert, SIGNALBOX_REDIS_KEY: clientKey };
    const { published, received } = await deliver(shown, redis);
    expect(received).toEqual(published);
    expect(await refusalOf(env)).toMatch(/certificate required|ECONNRESET|closed/);
  });

  test('refuses a server of an authority that it does not know', async () => {
    const redis = await startTls(true);
    const { files } = await makeCertificates();
    const { SIGNALBOX_REDIS_CA: _, ...env } = envOf(redis);
    for (const other of [env, { ...env, SIGNALBOX_REDIS_CA: files.ca }]) {
      expect(await refusalOf(other)).toMatch(/certificate/);
    }
  });

  test('refuses a certificate for another name, unless names are not to be checked', async () => {
    const redis = await startTls('misnamed');
    const env = envOf(redis);
    expect(await refusalOf(env)).toMatch(/does not match certificate/);
    const unchecked = { ...env, SIGNALBOX_REDIS_VALIDATE_HOSTNAME: 'false' };
    const { published, received } = await deliver(unchecked, redis);
    expect(received).toEqual(published);
  });

  test('takes a file that was replaced with the next connection, without a restart', async () => {
    const redis = await startTls(true);
    const [wrong, right] = [(await makeCertificates()).files.ca, filesOf(redis).ca];
    const signalbox = await stage.start({ ...envOf(redis), SIGNALBOX_REDIS_CA: wrong });
    await eventually('it says so', () => timesLogged(signalbox, 'The broker cannot be read') === 1);
    expect(await signalbox.readyStatus()).toBe(503);
    await copyFile(right, wrong);
    await stage.ready(signalbox);
    expect(timesLogged(signalbox, 'Reading: the reader is live')).toBe(1);
  });

  test('a client certificate without its key does not start', async () => {
    const { files } = await makeCertificates();
    const starting = startSignalbox({ REDIS_SSL: 'true', SIGNALBOX_REDIS_CERT: files.clientCert });
    await expect(starting).rejects.toThrow('redis.cert without redis.key');
  });
});
