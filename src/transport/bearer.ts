import { createHash } from 'node:crypto';

const BEARER = /^Bearer +([^\s]+)$/i;

/** The token of an Authorization header; undefined: it has none. */
export const bearerOf = (authorization: string | undefined): string | undefined =>
  BEARER.exec(authorization ?? '')?.[1];

/** What secrets are compared by: of one length, whatever was presented. */
export const digest = (secret: string): Buffer => createHash('sha256').update(secret).digest();
