/**
 * What a client does with a refusal: `never`: the same frame would be refused again; `backoff`: it may be sent
 * again, after `retryAfter` where that is given, and later each time; `token`: after a `refresh` with a new token.
 */
export type Retry = 'never' | 'backoff' | 'token';

interface Refusal {
  readonly retry: Retry;
  /** What is said when there is nothing closer to say. */
  readonly sentence: string;
}

/** Every error a frame can be answered with. */
export const ERRORS = {
  bad_request: { retry: 'never', sentence: 'The frame cannot be understood as it is.' },
  unknown_type: { retry: 'never', sentence: 'This server knows no frame of that type.' },
  unauthorized: { retry: 'token', sentence: 'The token is missing, expired, revoked or of somebody else.' },
  forbidden: { retry: 'never', sentence: 'This may not be done with this token.' },
  already_subscribed: { retry: 'never', sentence: 'This socket has, or is about to have, this channel.' },
  not_subscribed: { retry: 'never', sentence: 'This socket does not have this channel.' },
  too_many: { retry: 'backoff', sentence: 'This socket has as many of these as it may have at once.' },
  too_large: { retry: 'never', sentence: 'This is larger than may be sent.' },
  rate_limited: { retry: 'backoff', sentence: 'This is more often than is allowed.' },
  no_handler: { retry: 'never', sentence: 'Nobody here answers this topic.' },
  timeout: { retry: 'backoff', sentence: 'There was no answer in time. Whether it was done is not known.' },
  unavailable: { retry: 'backoff', sentence: 'What is needed for this cannot be reached now.' },
  internal: { retry: 'never', sentence: 'Something is wrong here. It has been logged.' },
} as const satisfies Record<string, Refusal>;

export type ErrorCode = keyof typeof ERRORS;

/** A refused frame, as data. */
export interface ProtocolError {
  readonly code: ErrorCode;
  /** For the client's developer. It may quote the frame, so it is not for the log. */
  readonly message: string;
  /** Of the frame, wherever it could be read. */
  readonly ref?: Ref;
}

/** What a client calls one of its frames: an integer, or text of at most 64 characters. */
export type Ref = number | string;

/** The refusal of a frame; without words of its own it has those of the table. */
export function protocolError(
  code: ErrorCode,
  ref?: Ref,
  message: string = ERRORS[code].sentence,
): ProtocolError {
  return { code, message, ...(ref !== undefined && { ref }) };
}
