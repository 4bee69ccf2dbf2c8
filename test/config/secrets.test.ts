import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { verificationKey } from '../../src/config/verification-key.ts';
import { about, loaded, problems, secret } from './loading.ts';

const pem = (key: KeyObject): string => key.export({ type: 'spki', format: 'pem' }).toString();
const rsa = pem(generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey);
const p256 = pem(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey);
const ed25519 = pem(generateKeyPairSync('ed25519').publicKey);

describe('jwtSecret', () => {
  test.each([
    ['x'.repeat(32), 0],
    ['x'.repeat(31), 1],
    ['é'.repeat(16), 0],
    [`${'é'.repeat(15)}x`, 1],
  ])('of %s: %d problems, because bytes are counted as UTF-8', (text, count) => {
    expect(problems({ env: { JWT_SECRET: text } })).toHaveLength(count);
    expect(problems({ env: { JWT_SECRET: secret, PREVIOUS_JWT_SECRET: text } })).toHaveLength(count);
  });

  test('is never part of a problem', () => {
    const text = JSON.stringify(problems({ env: { JWT_SECRET: 'hunter2', PREVIOUS_JWT_SECRET: 'hunter3' } }));
    expect(text).not.toContain('hunter');
    expect(text).toContain('7 bytes');
  });

  test.each(['JWT_SECRET', 'PREVIOUS_JWT_SECRET'])(
    '%s that starts with CHANGE-ME is warned about',
    (name) => {
      const { warnings } = loaded({ env: { JWT_SECRET: secret, [name]: `CHANGE-ME-${secret}` } });
      expect(warnings.some(({ text }) => text.includes('CHANGE-ME'))).toBe(true);
      expect(about(loaded({ env: { JWT_SECRET: secret } }).warnings, 'jwtSecret')).toEqual([]);
    },
  );
});

describe('jwtAlgorithms', () => {
  test.each([
    ['a shared secret', secret, 'HS256,HS384,HS512', 0],
    ['a shared secret', secret, 'RS256', 1],
    ['a shared secret', secret, 'HS256,ES256', 1],
    ['an RSA key', rsa, 'RS256,PS512', 0],
    ['an RSA key', rsa, 'HS256', 1],
    ['an RSA key', rsa, 'RS256,HS256', 1],
    ['a P-256 key', p256, 'ES256', 0],
    ['a P-256 key', p256, 'ES384', 1],
    ['an Ed25519 key', ed25519, 'ES256', 1],
    ['a cut off PEM', rsa.slice(0, 80), 'RS256', 1],
  ])('with %s: %#', (_, text, algorithms, count) => {
    const found = problems({ env: { JWT_SECRET: text, SIGNALBOX_JWT_ALGORITHMS: algorithms } });
    expect(found.map(({ code }) => code)).toEqual(Array.from({ length: count }, () => 'key_mismatch'));
  });

  test.each(['none', 'HS256,none', 'EdDSA'])('%s is refused', (algorithms) => {
    expect(problems({ env: { JWT_SECRET: secret, SIGNALBOX_JWT_ALGORITHMS: algorithms } })).toEqual([
      expect.objectContaining({ code: 'bad_value', key: 'jwtAlgorithms' }),
    ]);
  });

  test('must fit the previous secret too', () => {
    expect(problems({ env: { JWT_SECRET: secret, PREVIOUS_JWT_SECRET: rsa } })).toEqual([
      expect.objectContaining({ code: 'key_mismatch', key: 'previousJwtSecret' }),
    ]);
  });
});

describe('verification key', () => {
  test('a PEM public key makes a public key, anything else a secret key', () => {
    expect(verificationKey(rsa).type).toBe('public');
    expect(verificationKey(secret).type).toBe('secret');
  });
});

describe('apiKeys', () => {
  test('of less than 24 characters are refused, unseen', () => {
    const found = problems({ env: { JWT_SECRET: secret, SIGNALBOX_API_KEYS: 'hunter2' } });
    expect(found).toEqual([expect.objectContaining({ code: 'bad_value', key: 'apiKeys', got: 'a list' })]);
    expect(JSON.stringify(found)).not.toContain('hunter2');
  });
});
