import type { ConfigProblem } from '../config/problem.ts';
import { type ErrorCode, ERRORS } from '../protocol/native/error-codes.ts';

/**
 * What went wrong.
 *
 * - `config`: the configuration has problems; all of them are in `problems`, and nothing was opened.
 * - `listen`: the port could not be bound; `cause` is the error of the bind.
 * - `stopped`: it was stopped, or never started; a publisher: it was closed.
 * - any code of an error frame (docs/protocol.md): thrown by a callback it is what the client is answered with, and
 *   what is published, told or ended rejects with one: `bad_request`, `too_large`, `unavailable`, `timeout`; and
 *   `not_subscribed` where a socket that has gone would publish.
 */
export type SignalboxErrorCode = 'config' | 'listen' | 'stopped' | ErrorCode;

export interface SignalboxErrorDetails {
  readonly problems?: readonly ConfigProblem[];
  readonly cause?: unknown;
}

export class SignalboxError extends Error {
  readonly code: SignalboxErrorCode;
  /** Of the configuration; else empty. */
  readonly problems: readonly ConfigProblem[];

  /** Without a message it has the sentence of its code. */
  constructor(code: SignalboxErrorCode, message?: string, details: SignalboxErrorDetails = {}) {
    super(message ?? sentenceOf(code), 'cause' in details ? { cause: details.cause } : undefined);
    this.name = 'SignalboxError';
    this.code = code;
    this.problems = details.problems ?? [];
  }
}

export const isErrorCode = (code: SignalboxErrorCode): code is ErrorCode => Object.hasOwn(ERRORS, code);

const sentenceOf = (code: SignalboxErrorCode): string => (isErrorCode(code) ? ERRORS[code].sentence : code);
