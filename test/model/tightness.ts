/** So few and so short that each limit is met in a run. */
export const WINDOW = { maxEvents: 12, maxBytes: 100_000, maxAgeMs: 20_000 };

export const TIMES = {
  handshakeTimeoutMs: 1_000,
  pingIntervalMs: 2_000,
  responseTimeoutMs: 7_000,
  slowConsumerTimeoutMs: 9_000,
  closeTimeoutMs: 1_000,
};
