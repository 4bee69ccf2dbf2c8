/** A line about something that may happen thousands of times a second. */
export interface LogLimit {
  /**
   * Calls `write` if nothing of this `kind` was written for the interval, with how many were kept back since the
   * last time. `kind` is of a closed set, never text from outside: each is remembered.
   */
  log(kind: string, write: (suppressed: number) => void): void;
}

interface Kind {
  writtenAtMs: number;
  suppressed: number;
}

/** Lets one line of each kind through per interval, a minute unless told otherwise. */
export function createLogLimit(options: {
  readonly now: () => number;
  readonly intervalMs?: number;
}): LogLimit {
  const { now, intervalMs = 60_000 } = options;
  const kinds = new Map<string, Kind>();
  return {
    log(kind, write) {
      const nowMs = now();
      const known = kinds.get(kind);
      // A clock that was set back must not silence a kind until it has caught up.
      if (known !== undefined && nowMs >= known.writtenAtMs && nowMs - known.writtenAtMs < intervalMs) {
        known.suppressed += 1;
        return;
      }
      kinds.set(kind, { writtenAtMs: nowMs, suppressed: 0 });
      write(known?.suppressed ?? 0);
    },
  };
}
