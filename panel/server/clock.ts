import { useEffect, useState } from 'preact/hooks';

/** How far the server's clock is ahead of this machine's: its times are shown as they are there. */
let aheadMs = 0;

/** Takes over what the time is at the server, from an answer of just now. */
export function noteServerTime(atMs: number): void {
  // An answer is always a little old: only a clock that is really another one is followed.
  const difference = atMs - Date.now();
  aheadMs = Math.abs(difference) > 2000 ? difference : 0;
}

export const serverNow = (): number => Date.now() + aheadMs;

/** The time at the server, anew each second. */
export function useNow(): number {
  const [now, setNow] = useState(serverNow);
  useEffect(() => {
    const timer = setInterval(() => setNow(serverNow()), 1000);
    return () => clearInterval(timer);
  }, []);
  return now;
}
