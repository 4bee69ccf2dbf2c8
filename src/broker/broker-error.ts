/**
 * Why a broker did not do what it was asked.
 *
 * - `closed`: it, or this connection, was closed by its owner.
 * - `lost`: the connection broke; whether a write under way was done is not known.
 * - `timeout`: no answer by the deadline; the connection is given up.
 * - `unavailable`: there is no connection, and the last attempt to make one failed.
 *
 * What the server itself refuses (WRONGTYPE, NOAUTH, NOPERM, OOM, …) is not of this class: it comes as the
 * server's own error.
 */
export type BrokerErrorCode = 'closed' | 'lost' | 'timeout' | 'unavailable';

/** A broker is away, or was closed. */
export class BrokerError extends Error {
  readonly code: BrokerErrorCode;

  constructor(code: BrokerErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'BrokerError';
    this.code = code;
  }
}
