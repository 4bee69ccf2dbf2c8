/** One connection's way out, as the routing uses it. Whatever implements it owes what is said here. */
export interface Transport {
  /** Whether its peer takes compressed frames. */
  readonly isCompressed: boolean;
  /** Bytes accepted by `write` that the operating system has not taken. */
  readonly bufferedBytes: number;
  /** Events among them. */
  readonly unflushedEvents: number;
  /**
   * Sends ready frames, in order, in as few kernel writes as it can. Adds to `bufferedBytes` before it returns,
   * and calls the listener's `flushed` after it has, whenever bytes are gone. Throws when the connection is
   * broken.
   */
  write(frames: readonly Buffer[], events: number): void;
  /**
   * Asks the peer for an answer, with `frame` where the protocol has one of its own, unless bytes are still buffered:
   * then those being flushed are the answer.
   */
  ping(frame?: Buffer): void;
  /** While a socket is full its input is not read: its answers would only add to what waits. */
  pauseInput(isPaused: boolean): void;
  /** Ends in order, with a close code; frames written before are still sent. */
  close(code: number, reason: string): void;
  /** Ends at once. */
  terminate(): void;
}

/** What a transport tells. */
export interface TransportListener {
  /** After a write some bytes are left that the operating system has not taken. */
  waiting?(): void;
  /** Bytes were flushed. */
  flushed(): void;
  /** The peer answered the last ping, or sent or took bytes since. */
  answered(): void;
  /** The connection is gone; told once, nothing follows. */
  closed(): void;
}
