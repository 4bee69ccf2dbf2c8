import jwt from 'jsonwebtoken';

export const SECRET = 'a secret that is long enough for HS256, 40 bytes';
export const PREVIOUS_SECRET = 'the secret before it, also long enough, 40 bytes';

/** A token as Superset makes one, without `iat` unless it is among the claims. */
export function tokenOf(claims: object, secret = SECRET): string {
  return jwt.sign(claims, secret, { noTimestamp: true });
}

/** A token whose parts are whatever they are said to be, signed by nobody. */
export function unsigned(header: object, claims: unknown, signature = ''): string {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part(header)}.${part(claims)}.${signature}`;
}
