/** Time, injected: machines, the window and the embedded broker know no other. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Runs `run` once, `delayMs` from now, however far away that is. */
  setTimeout(run: () => void, delayMs: number): unknown;
  clearTimeout(timer: unknown): void;
}

/** Node's `setTimeout` fires at once beyond this. */
const MAX_DELAY_MS = 2 ** 31 - 1;

interface LongTimer {
  timer: NodeJS.Timeout;
}

/** The machine's own clock; delays beyond 2^31 - 1 ms are waited for in parts. */
export const systemClock: Clock = {
  now: Date.now,
  setTimeout(run, delayMs) {
    if (delayMs <= MAX_DELAY_MS) return setTimeout(run, delayMs);
    const long: LongTimer = { timer: wait(delayMs) };
    function wait(leftMs: number): NodeJS.Timeout {
      if (leftMs <= MAX_DELAY_MS) return setTimeout(run, leftMs);
      return setTimeout(() => {
        long.timer = wait(leftMs - MAX_DELAY_MS);
      }, MAX_DELAY_MS);
    }
    return long;
  },
  clearTimeout(timer) {
    if (timer === undefined || timer === null) return;
    const { timer: long } = timer as Partial<LongTimer>;
    clearTimeout(long ?? (timer as NodeJS.Timeout));
  },
};

/** Runs `run` once, `ms` from now, unless what it answers is called before. */
export type After = (ms: number, run: () => void) => () => void;

export function createAfter(clock: Clock): After {
  return (ms, run) => {
    const timer = clock.setTimeout(run, ms);
    return () => clock.clearTimeout(timer);
  };
}

/** What it resolves with; undefined: that took longer than `ms`. Rejects as it does. */
export async function within<T>(
  clock: Pick<Clock, 'setTimeout' | 'clearTimeout'>,
  ms: number,
  promise: Promise<T>,
): Promise<T | undefined> {
  let timer: unknown;
  const late = new Promise<undefined>((resolve) => {
    timer = clock.setTimeout(() => resolve(undefined), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clock.clearTimeout(timer);
  }
}

/**
 * A delay with full jitter: anything up to `capMs`, doubling from `baseMs` with each attempt, and never less
 * than a tenth of `baseMs`, so that no loop is without one.
 */
export function fullJitterMs(
  attempt: number,
  options: { baseMs: number; capMs: number; random: () => number },
): number {
  const { baseMs, capMs, random } = options;
  const ceilingMs = Math.min(capMs, baseMs * 2 ** Math.min(attempt, 30));
  return Math.max(baseMs / 10, random() * ceilingMs);
}
