import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Cookies that say who somebody is, signed with a key that is kept: they are good after a restart as well.
 *
 * @param {string} folder
 */
export function createCookies(folder) {
  const key = keyIn(folder);
  const sign = (/** @type {string} */ text) => createHmac('sha256', key).update(text).digest('base64url');

  return {
    name: 'chat',

    /** @param {string} user */
    valueFor(user) {
      const claims = Buffer.from(JSON.stringify({ user, issuedAt: Date.now() })).toString('base64url');
      return `${claims}.${sign(claims)}`;
    },

    /**
     * Undefined: it is none of ours.
     *
     * @param {string} [value]
     * @returns {{ user: string, issuedAt: number } | undefined}
     */
    read(value = '') {
      const [claims = '', signature = ''] = value.split('.');
      const [given, expected] = [Buffer.from(signature), Buffer.from(sign(claims))];
      if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined;
      return JSON.parse(Buffer.from(claims, 'base64url').toString());
    },
  };
}

/** @param {string} folder */
function keyIn(folder) {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'cookie.key');
  try {
    // Only if there is none: fails where there is.
    writeFileSync(file, randomBytes(32), { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
  return readFileSync(file);
}
