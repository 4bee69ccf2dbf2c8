import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Findings } from './findings.ts';
import type { Rule, Situation } from './rule.ts';

type FileKey = 'ca' | 'cert' | 'key';

const fileKeys: readonly FileKey[] = ['ca', 'cert', 'key'];

/** What each file must hold, in words. */
const contents: Readonly<Record<FileKey, string>> = {
  ca: 'certificates of authorities, in PEM form',
  cert: 'a certificate in PEM form',
  key: 'an unencrypted private key in PEM form',
};

const certificate = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

/** Throws unless there is at least one certificate, and all of them can be read. */
const certificatesIn = (pem: string): readonly X509Certificate[] => {
  const found = (pem.match(certificate) ?? []).map((text) => new X509Certificate(text));
  if (found.length === 0) throw new Error('no certificate');
  return found;
};

/** The path is set, so the file must be there and hold what it should. */
const checkFile = (name: FileKey, { config, origins }: Situation, { problems }: Findings): void => {
  const path = config.redis[name];
  if (path === '') return;
  const refuse = (got: string): void => {
    problems.push({
      code: 'file_unreadable',
      key: `redis.${name}`,
      source: origins.get(`redis.${name}`) ?? 'default',
      got,
      expected: `a file that holds ${contents[name]}`,
      advice: 'Check the path and who may read it.',
    });
  };
  let pem: string;
  try {
    pem = readFileSync(path, 'utf8');
  } catch (error) {
    refuse(`${path} cannot be read (${(error as NodeJS.ErrnoException).code})`);
    return;
  }
  try {
    if (name === 'key') createPrivateKey(pem);
    else certificatesIn(pem);
  } catch {
    refuse(`${path} does not hold that`);
  }
};

const conflict = (
  { origins }: Situation,
  { problems }: Findings,
  key: string,
  words: { readonly got: string; readonly expected: string; readonly advice: string },
): void => {
  problems.push({ code: 'conflict', key, source: origins.get(key) ?? 'default', ...words });
};

/** Whoever names an authority means TLS: without it everything would go in clear text, unnoticed. */
const checkUse = (situation: Situation, findings: Findings): void => {
  const { redis } = situation.config;
  const first = fileKeys.find((name) => redis[name] !== '');
  if (first === undefined || redis.ssl) return;
  conflict(situation, findings, `redis.${first}`, {
    got: `redis.${first} without TLS`,
    expected: 'redis.ssl, or a rediss:// URL',
    advice: 'Set REDIS_SSL to true.',
  });
};

const checkPair = (situation: Situation, findings: Findings): void => {
  const { cert, key } = situation.config.redis;
  if (cert === '' && key === '') return;
  if (cert === '' || key === '') {
    const [set, missing] = cert === '' ? ['key', 'cert'] : ['cert', 'key'];
    conflict(situation, findings, `redis.${set}`, {
      got: `redis.${set} without redis.${missing}`,
      expected: 'a client certificate and its private key, or neither',
      advice: `Set SIGNALBOX_REDIS_${missing?.toUpperCase()}.`,
    });
    return;
  }
  let own: X509Certificate | undefined;
  let privateKey: KeyObject;
  try {
    own = certificatesIn(readFileSync(cert, 'utf8'))[0];
    privateKey = createPrivateKey(readFileSync(key));
  } catch {
    // Said of the file itself.
    return;
  }
  if (own?.checkPrivateKey(privateKey) === true) return;
  conflict(situation, findings, 'redis.key', {
    got: `${key} is not the key of ${cert}`,
    expected: 'the private key of the client certificate',
    advice: 'Give the two files that were made together.',
  });
};

/** Files of TLS are tried before anything is connected: a server that cannot connect would try for ever. */
export const redisTlsRules: readonly Rule[] = [
  ...fileKeys.map(
    (name): Rule => ({
      about: [`redis.${name}`],
      check: (situation, findings) => checkFile(name, situation, findings),
    }),
  ),
  { about: [...fileKeys.map((name) => `redis.${name}`), 'redis.ssl', 'redis.url'], check: checkUse },
  { about: ['redis.cert', 'redis.key'], check: checkPair },
];
