import { Transform } from 'node:stream';

/** A body that is larger than it may be. */
export class BodyTooLargeError extends Error {}

/** Passes a body on, up to so many bytes; beyond, it fails with `BodyTooLargeError`. */
export function createBodyLimit(maxBodyBytes: number): Transform {
  let left = maxBodyBytes;
  return new Transform({
    transform(chunk: Buffer, _, done) {
      left -= chunk.length;
      if (left < 0) done(new BodyTooLargeError('the body is larger than maxBodyBytes'));
      else done(null, chunk);
    },
  });
}
