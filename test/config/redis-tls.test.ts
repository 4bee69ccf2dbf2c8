import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { printConfig } from '../../src/config/print.ts';
import { folder, loaded, problems, secret } from './loading.ts';

/** Signed by itself, good until 2126; its key is nowhere. */
const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBdjCCARugAwIBAgIUFvew1KSbenSn8lHZwpIkx6ZzDJwwCgYIKoZIzj0EAwIw
DzENMAsGA1UEAwwEVGVzdDAgFw0yNjExMjExMTE3MzJaGA8yMTI2MTAyODExMTcz
MlowDzENMAsGA1UEAwwEVGVzdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABHx5
pFwp5sEvhHm4NcIOBKfVfRZ9FVYypj/hnD8MA8yhJSwmOmxADJPdVLIIKOXDVlOt
zSbNl+sHiXmxzdAQXwyjUzBRMB0GA1UdDgQWBBS9MBdrH7NoFjbXHsyu7tjfytRV
ZzAfBgNVHSMEGDAWgBS9MBdrH7NoFjbXHsyu7tjfytRVZzAPBgNVHRMBAf8EBTAD
AQH/MAoGCCqGSM49BAMCA0kAMEYCIQDzAe+Qy2kMcYpBdLdKnHspe6/MreHCfNmR
WbrlwYf+eAIhAMrICODoTG/HQNdAJwhRFIdka/nyqqGaKJszrg1LeDDv
-----END CERTIFICATE-----
`;

const privateKey = (): string =>
  generateKeyPairSync('ec', { namedCurve: 'P-256' })
    .privateKey.export({ type: 'pkcs8', format: 'pem' })
    .toString();

const file = (content: string): string => {
  const path = join(folder(), 'file.pem');
  writeFileSync(path, content);
  return path;
};

const withTls = (more: Readonly<Record<string, string>>) => ({
  env: { JWT_SECRET: secret, REDIS_SSL: 'true', ...more },
});

describe('files of TLS to Redis', () => {
  test('redis.ca is a file of one authority or of several, with any text between them', () => {
    for (const pem of [CERTIFICATE, `# the first\n${CERTIFICATE}\n# the second\n${CERTIFICATE}`]) {
      const path = file(pem);
      expect(loaded(withTls({ SIGNALBOX_REDIS_CA: path })).config.redis.ca).toBe(path);
    }
  });

  test('a rediss:// URL is TLS, too', () => {
    const path = file(CERTIFICATE);
    const env = { JWT_SECRET: secret, REDIS_URL: 'rediss://h', SIGNALBOX_REDIS_CA: path };
    expect(loaded({ env }).config.redis).toMatchObject({ ssl: true, ca: path });
  });

  test.each([
    ['is not there', '/nowhere/ca.pem', 'cannot be read (ENOENT)'],
    ['is a folder', '/', 'cannot be read (EISDIR)'],
  ])('one that %s is a problem', (_, path, got) => {
    expect(problems(withTls({ SIGNALBOX_REDIS_CA: path }))).toEqual([
      expect.objectContaining({
        code: 'file_unreadable',
        key: 'redis.ca',
        source: 'SIGNALBOX_REDIS_CA',
        got: `${path} ${got}`,
      }),
    ]);
  });

  test.each([
    ['redis.ca', 'nothing', ''],
    ['redis.ca', 'a private key', privateKey()],
    ['redis.ca', 'a certificate that is cut off', CERTIFICATE.slice(0, 300)],
    ['redis.ca', 'a certificate, and one that is spoilt', CERTIFICATE + CERTIFICATE.replace('MIIB', 'AAAA')],
    ['redis.cert', 'a private key', privateKey()],
    ['redis.key', 'a certificate', CERTIFICATE],
  ])('%s that holds %s is a problem, which shows nothing of it', (key, _, content) => {
    const name = `SIGNALBOX_${key.toUpperCase().replace('.', '_')}`;
    const path = file(content);
    const found = problems(withTls({ [name]: path })).filter(({ code }) => code === 'file_unreadable');
    expect(found).toEqual([
      expect.objectContaining({ key, source: name, got: `${path} does not hold that` }),
    ]);
  });

  test('a certificate and a key are given together, and belong together', () => {
    const [cert, key] = [file(CERTIFICATE), file(privateKey())];
    const conflict = (got: string) => [expect.objectContaining({ code: 'conflict', got })];
    expect(problems(withTls({ SIGNALBOX_REDIS_CERT: cert }))).toEqual(
      conflict('redis.cert without redis.key'),
    );
    expect(problems(withTls({ SIGNALBOX_REDIS_KEY: key }))).toEqual(conflict('redis.key without redis.cert'));
    expect(problems(withTls({ SIGNALBOX_REDIS_CERT: cert, SIGNALBOX_REDIS_KEY: key }))).toEqual(
      conflict(`${key} is not the key of ${cert}`),
    );
  });

  test('an authority without TLS is a problem: nothing would be encrypted', () => {
    const env = { JWT_SECRET: secret, SIGNALBOX_REDIS_CA: file(CERTIFICATE) };
    expect(problems({ env })).toEqual([
      expect.objectContaining({ code: 'conflict', key: 'redis.ca', got: 'redis.ca without TLS' }),
    ]);
  });
});

describe('redis.sentinelPassword', () => {
  test('is a secret: from a file, too, and never printed', () => {
    const path = file('hunter2\n');
    const read = loaded({ env: { JWT_SECRET: secret, SIGNALBOX_REDIS_SENTINEL_PASSWORD_FILE: path } });
    expect(read.config.redis.sentinelPassword).toBe('hunter2');
    expect(printConfig(read)).not.toContain('hunter2');
  });
});
