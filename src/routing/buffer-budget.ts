/** What each socket may still buffer when all of them together hold too much. */
const LIMIT_UNDER_PRESSURE = 65_536;

/** Bytes that all transports hold unflushed, and what one of them may hold. */
export class BufferBudget {
  readonly #maxSocketBytes: number;
  readonly #maxTotalBytes: number;
  #total = 0;

  constructor(limits: { readonly maxSocketBufferBytes: number; readonly maxTotalBufferBytes: number }) {
    this.#maxSocketBytes = limits.maxSocketBufferBytes;
    this.#maxTotalBytes = limits.maxTotalBufferBytes;
  }

  get total(): number {
    return this.#total;
  }

  /** The limit of one socket now. */
  get limit(): number {
    return this.#total > this.#maxTotalBytes
      ? Math.min(this.#maxSocketBytes, LIMIT_UNDER_PRESSURE)
      : this.#maxSocketBytes;
  }

  /** A transport holds `bytes` more (or, negative, less). */
  add(bytes: number): void {
    this.#total += bytes;
  }
}
