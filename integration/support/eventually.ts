import { setTimeout as pause } from 'node:timers/promises';

/**
 * Resolves with the first value that is not undefined or false; asks again every 25 ms.
 *
 * For states that can only be asked for. An error of the question counts as "not yet", and is told at the limit.
 */
export async function eventually<T>(
  what: string,
  ask: () => Promise<T | undefined | false> | T | undefined | false,
  limitMs = 15_000,
): Promise<T> {
  const end = Date.now() + limitMs;
  for (;;) {
    let cause: unknown;
    try {
      const answer = await ask();
      if (answer !== undefined && answer !== false) return answer;
    } catch (error) {
      cause = error;
    }
    if (Date.now() > end) throw new Error(`Not within ${limitMs} ms: ${what}`, { cause });
    await pause(25);
  }
}
