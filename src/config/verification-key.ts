import { createPublicKey, createSecretKey, type KeyObject } from 'node:crypto';
import type { JwtAlgorithm } from './schema/access.ts';

const publicPem = /^\s*-----BEGIN (?:RSA PUBLIC KEY|PUBLIC KEY|CERTIFICATE)-----/;

/** Whether a secret is a public key in PEM form, and not a text that both sides know. */
export const isPublicPem = (secret: string): boolean => publicPem.test(secret);

/**
 * The key that tokens are verified with. Made once: given a string, jsonwebtoken tries to read it as a public
 * key at each call. Throws when a PEM cannot be read.
 */
export const verificationKey = (secret: string): KeyObject =>
  isPublicPem(secret) ? createPublicKey(secret) : createSecretKey(Buffer.from(secret, 'utf8'));

const curves: Readonly<Record<string, JwtAlgorithm>> = {
  prime256v1: 'ES256',
  secp384r1: 'ES384',
  secp521r1: 'ES512',
};

/** The algorithms a key can be used with. */
export const fittingAlgorithms = (key: KeyObject): readonly JwtAlgorithm[] => {
  if (key.type === 'secret') return ['HS256', 'HS384', 'HS512'];
  switch (key.asymmetricKeyType) {
    case 'rsa':
      return ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'];
    case 'rsa-pss':
      return ['PS256', 'PS384', 'PS512'];
    case 'ec': {
      const algorithm = curves[key.asymmetricKeyDetails?.namedCurve ?? ''];
      return algorithm === undefined ? [] : [algorithm];
    }
    default:
      return [];
  }
};
