/** What Standard Webhooks says before a secret that is given as base64. */
const PREFIX = 'whsec_';
const LEAST_CHARACTERS = 24;
const LEAST_BYTES = 24;
const MOST_BYTES = 64;

/**
 * The key that requests to hooks are signed with: `whsec_` and the base64 of 24 to 64 bytes, as Standard Webhooks
 * writes it, or the bytes of any other text of at least 24 characters. Undefined when a secret is neither.
 */
export function hookKey(secret: string): Buffer | undefined {
  if (!secret.startsWith(PREFIX)) return secret.length < LEAST_CHARACTERS ? undefined : Buffer.from(secret);
  const base64 = secret.slice(PREFIX.length);
  const key = Buffer.from(base64, 'base64');
  // Node skips what is no base64, and would make another key of a secret that was mistyped.
  const isBase64 = key.toString('base64').replace(/=+$/, '') === base64.replace(/={1,2}$/, '');
  return isBase64 && key.length >= LEAST_BYTES && key.length <= MOST_BYTES ? key : undefined;
}
