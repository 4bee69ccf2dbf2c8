import { timingSafeEqual } from 'node:crypto';
import { bearerOf, digest } from './bearer.ts';

/** Tells whether an Authorization header holds a known key. */
export type ApiKeyCheck = (authorization: string | undefined) => boolean;

/**
 * Makes the check for a list of keys. Keys are compared by digest, all of them each time, so that neither a key's
 * length nor how much of it was guessed, nor which one it was, shows in the time it takes.
 */
export function createApiKeyCheck(apiKeys: readonly string[]): ApiKeyCheck {
  const known = apiKeys.map(digest);
  return (authorization) => {
    const presented = bearerOf(authorization);
    if (presented === undefined) return false;
    const candidate = digest(presented);
    let found = false;
    for (const key of known) found = timingSafeEqual(key, candidate) || found;
    return found;
  };
}
