import type { CloseReason } from '../../../machines/close-reason.ts';

/**
 * Whether a client comes back: `jitter`: at once, after a random delay (or the one of a `reconnect` frame);
 * `backoff`: later each time, not before the last `retryAfter`; `token`: with a new token or ticket; `never`: it
 * would be told the same again, or was asked to go.
 */
export type Reconnect = 'jitter' | 'backoff' | 'token' | 'never';

interface Close {
  readonly reconnect: Reconnect;
  /** The word that is sent with the code; an error code where one says it. Empty: none. */
  readonly reason: string;
  readonly sentence: string;
}

/** Every code a native connection can end with, for server, documentation and client. */
export const CLOSES = {
  1000: { reconnect: 'never', reason: '', sentence: 'The client is done.' },
  1001: { reconnect: 'jitter', reason: 'drain', sentence: 'Going away: the server is being stopped.' },
  1006: { reconnect: 'backoff', reason: '', sentence: 'The connection was lost. Never sent.' },
  1008: { reconnect: 'never', reason: 'policy', sentence: "Of Superset's protocols only." },
  1009: { reconnect: 'never', reason: 'too_large', sentence: 'A frame is larger than maxFrameBytes.' },
  1011: {
    reconnect: 'backoff',
    reason: 'internal',
    sentence: 'Something is wrong here. It has been logged.',
  },
  1012: { reconnect: 'jitter', reason: 'restart', sentence: 'The server starts again.' },
  1013: { reconnect: 'backoff', reason: 'too_many', sentence: 'There are as many connections as may be.' },
  4400: { reconnect: 'never', reason: 'bad_request', sentence: 'What came is not signalbox.v1.' },
  4401: { reconnect: 'token', reason: 'unauthorized', sentence: 'The token is missing, expired or refused.' },
  4403: { reconnect: 'never', reason: 'forbidden', sentence: 'This client may not connect from there.' },
  4408: { reconnect: 'backoff', reason: 'timeout', sentence: 'No hello in time.' },
  4410: { reconnect: 'never', reason: 'ended', sentence: 'Ended by the application.' },
  4413: { reconnect: 'backoff', reason: 'too_slow', sentence: 'The client did not read for too long.' },
  4429: {
    reconnect: 'backoff',
    reason: 'rate_limited',
    sentence: 'The client sent too much and went on, or connected too often.',
  },
} as const satisfies Record<number, Close>;

export type CloseCode = keyof typeof CLOSES;

/** What ends a socket, as a client is told it. `gone` is the client's own end. */
const CODE_OF: Readonly<Record<CloseReason, CloseCode>> = {
  handshake_timeout: 4408,
  unresponsive: 4408,
  too_slow: 4413,
  expired: 4401,
  drain: 1001,
  lossy: 1012,
  policy: 4429,
  protocol: 4400,
  failed: 1011,
  ended: 4410,
  gone: 1000,
};

/** The close code and its word for the machine's reason. */
export function nativeClose(reason: CloseReason): { readonly code: CloseCode; readonly text: string } {
  const code = CODE_OF[reason];
  return { code, text: CLOSES[code].reason };
}
