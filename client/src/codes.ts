/** What a client does after a close; the server's table is docs/protocol.md. */
export type Reconnect = 'jitter' | 'backoff' | 'token' | 'never';

/** Every close code of the protocol. One that is not here is a lost connection: `backoff`. */
export const RECONNECTS: Readonly<Record<number, Reconnect>> = {
  1000: 'never',
  1001: 'jitter',
  1006: 'backoff',
  1008: 'never',
  1009: 'never',
  1011: 'backoff',
  1012: 'jitter',
  1013: 'backoff',
  4400: 'never',
  4401: 'token',
  4403: 'never',
  4408: 'backoff',
  4410: 'never',
  4413: 'backoff',
  4429: 'backoff',
};

/** Whether what was refused may be sent again: never, later, or with a new token. */
export type Retry = 'never' | 'backoff' | 'token';

/** Every error code of the server. */
export const RETRIES = {
  bad_request: 'never',
  unknown_type: 'never',
  unauthorized: 'token',
  forbidden: 'never',
  already_subscribed: 'never',
  not_subscribed: 'never',
  too_many: 'backoff',
  too_large: 'never',
  rate_limited: 'backoff',
  no_handler: 'never',
  timeout: 'backoff',
  unavailable: 'backoff',
  internal: 'never',
} as const satisfies Record<string, Retry>;

export type ErrorCode = keyof typeof RETRIES;
