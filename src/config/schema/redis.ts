import { z } from 'zod';
import { addresses, key, notNegative, port } from './key.ts';

const endpoints = addresses.prefault([]);

/** How the Redis server is reached. */
export const redisKeys = {
  redis: z
    .strictObject({
      host: key(z.string().min(1).default('127.0.0.1'), {
        env: 'REDIS_HOST',
        description: 'The host of the Redis server.',
      }),
      port: key(port.min(1).default(6379), { env: 'REDIS_PORT', description: 'Its port.' }),
      username: key(z.string().default('default'), {
        env: 'REDIS_USERNAME',
        description: 'The ACL user. Sent only together with a password.',
      }),
      password: key(z.string().default(''), {
        env: 'REDIS_PASSWORD',
        secret: true,
        description: 'The password. Empty: no authentication.',
      }),
      db: key(notNegative.default(0), { env: 'REDIS_DB', description: 'The number of the database.' }),
      ssl: key(z.boolean().default(false), {
        env: 'REDIS_SSL',
        description: 'Connect with TLS. The certificate chain is always verified.',
      }),
      validateHostname: key(z.boolean().default(true), {
        env: 'SIGNALBOX_REDIS_VALIDATE_HOSTNAME',
        description: 'With TLS, whether the certificate must name the host.',
      }),
      ca: key(z.string().default(''), {
        env: 'SIGNALBOX_REDIS_CA',
        description:
          'With TLS, a PEM file of the authorities to trust instead of those that Node brings. Empty: those.',
      }),
      cert: key(z.string().default(''), {
        env: 'SIGNALBOX_REDIS_CERT',
        description: 'With TLS, a PEM file of the client certificate to show. Empty: none.',
      }),
      key: key(z.string().default(''), {
        env: 'SIGNALBOX_REDIS_KEY',
        description: "The PEM file of the client certificate's private key.",
      }),
      path: key(z.string().default(''), {
        env: 'SIGNALBOX_REDIS_PATH',
        description: 'A Unix socket to connect to instead of host and port.',
      }),
      url: key(z.string().default(''), {
        env: 'REDIS_URL',
        secret: true,
        expected: 'a URL that starts with redis://, rediss:// or unix://',
        description:
          'redis://, rediss:// (TLS) or unix://; the parts it gives win over the other redis keys, wherever those were set.',
      }),
      sentinels: key(endpoints, {
        env: 'SIGNALBOX_REDIS_SENTINELS',
        expected: 'a list of host:port',
        description: 'The Sentinels to ask for the master called redis.name.',
      }),
      name: key(z.string().default(''), {
        env: 'SIGNALBOX_REDIS_NAME',
        description: 'The name by which the Sentinels know the master.',
      }),
      sentinelPassword: key(z.string().default(''), {
        env: 'SIGNALBOX_REDIS_SENTINEL_PASSWORD',
        secret: true,
        description: 'The password of the Sentinels themselves. Empty: no authentication.',
      }),
      cluster: key(endpoints, {
        env: 'SIGNALBOX_REDIS_CLUSTER',
        expected: 'a list of host:port',
        description: 'Some nodes of a Redis Cluster; the others are found through them.',
      }),
    })
    .prefault({}),
};
