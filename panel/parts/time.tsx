import type { VNode } from 'preact';
import { clockTime, dateTime, duration, NOTHING } from '../figures/format.ts';
import { useNow } from '../server/clock.ts';

/** A moment as the time of day; its day where one points at it. */
export function Time({ atMs }: { readonly atMs: number }): VNode {
  return (
    <time dateTime={new Date(atMs).toISOString()} title={dateTime(atMs)}>
      {clockTime(atMs)}
    </time>
  );
}

/** How long ago something was, going on. */
export function Ago({ atMs }: { readonly atMs: number }): VNode {
  return (
    <time dateTime={new Date(atMs).toISOString()} title={dateTime(atMs)}>
      {duration(Math.max(0, useNow() - atMs))}
    </time>
  );
}

/** How long until a token runs out, counting down. */
export function Countdown({ atMs }: { readonly atMs: number | undefined }): VNode {
  const now = useNow();
  if (atMs === undefined) return <>never</>;
  if (atMs <= now) return <b class="bad">✗ {duration(now - atMs)} ago</b>;
  const left = duration(Math.floor((atMs - now) / 1000) * 1000);
  return (
    <time dateTime={new Date(atMs).toISOString()} title={dateTime(atMs)}>
      {atMs - now < 60_000 ? <b class="warn">⚠ in {left}</b> : `in ${left}`}
    </time>
  );
}

export const nothing = <span class="fine">{NOTHING}</span>;
