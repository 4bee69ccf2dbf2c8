import type { KeyObject } from 'node:crypto';
import { verificationKey } from '../config/verification-key.ts';

/**
 * The keys a token may be signed with, the current one first, made once. An empty previous secret is none.
 * Throws when a PEM cannot be read; a loaded configuration has been checked for that.
 */
export function verificationKeys(secrets: {
  readonly jwtSecret: string;
  readonly previousJwtSecret: string;
}): readonly KeyObject[] {
  const { jwtSecret, previousJwtSecret } = secrets;
  return [jwtSecret, previousJwtSecret].filter((secret) => secret !== '').map(verificationKey);
}
