import { createSecretKey } from 'node:crypto';
import jwt from 'jsonwebtoken';

export interface GripSignatureOptions {
  /** What Pushpin has as `sig_key`; after `base64:` it is bytes. */
  readonly key: string;
  /** What Pushpin has as `sig_iss`. */
  readonly issuer?: string | undefined;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

const BASE64 = 'base64:';
const LIFE_S = 3600;

/** Makes Grip-Sig as Pushpin does: a JWT by which an application knows that a request came through its proxy. */
export function createGripSignature({
  key,
  issuer = 'pushpin',
  now = Date.now,
}: GripSignatureOptions): () => string {
  const secret = createSecretKey(
    key.startsWith(BASE64) ? Buffer.from(key.slice(BASE64.length), 'base64') : Buffer.from(key),
  );
  return () =>
    jwt.sign({ iss: issuer, exp: Math.floor(now() / 1000) + LIFE_S }, secret, {
      algorithm: 'HS256',
      noTimestamp: true,
    });
}
