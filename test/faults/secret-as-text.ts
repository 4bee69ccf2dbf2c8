import jwt, { type Algorithm } from 'jsonwebtoken';

/** The fault of Superset's sidecar: given a text, jsonwebtoken tries to read a public key in it at each call. */
export function verifySecretAsText(token: string, secret: string, algorithms: readonly Algorithm[]): unknown {
  return jwt.verify(token, secret, { algorithms: [...algorithms] });
}
