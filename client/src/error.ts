import { type ErrorCode, RETRIES, type Retry } from './codes.ts';

/** What only the client says; the other codes are the server's. */
const OWN = {
  /** The connection or subscription is closed. */
  closed: 'never',
  /** The connection was lost before the answer came: whether it was done is not known. */
  lost: 'never',
  /** There was no connection, and no room to wait for one. */
  queue_full: 'backoff',
} as const satisfies Record<string, Retry>;

export type ClientErrorCode = ErrorCode | keyof typeof OWN;

/** Why something was not done. `code` is for programs, the message for a developer. */
export class SignalboxError extends Error {
  override readonly name = 'SignalboxError';
  readonly code: ClientErrorCode;
  /** Whether it may be tried again: `never` as it is, `backoff` later, `token` with a new token. */
  readonly retry: Retry;
  /** Milliseconds to wait before, where the server says. */
  readonly retryAfter: number | undefined;

  constructor(code: ClientErrorCode, message: string, retryAfter?: number) {
    super(message);
    this.code = code;
    // A newer server may have a code that is not known here.
    this.retry = { ...RETRIES, ...OWN }[code] ?? 'never';
    this.retryAfter = retryAfter;
  }
}
