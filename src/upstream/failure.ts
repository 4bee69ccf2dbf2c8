import { errors } from 'undici';
import type { ProblemCode } from '../transport/http-problem.ts';
import { BodyTooLargeError } from './body-limit.ts';

const TIMEOUTS = [errors.ConnectTimeoutError, errors.HeadersTimeoutError, errors.BodyTimeoutError];

/** What a client is told when its request could not be answered by the application. */
export function problemOf(error: Error): ProblemCode {
  if (error instanceof BodyTooLargeError) return 'too_large';
  // What undici would not even send.
  if (error instanceof errors.InvalidArgumentError) return 'bad_request';
  const isTimeout = TIMEOUTS.some((kind) => error instanceof kind) || codeOf(error) === 'ETIMEDOUT';
  return isTimeout ? 'timeout' : 'bad_gateway';
}

function codeOf(error: Error): unknown {
  return 'code' in error ? error.code : undefined;
}
