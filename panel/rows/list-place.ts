import { useEffect, useState } from 'preact/hooks';
import type { ChannelFilter, SocketFilter } from '../../src/inspect/api.ts';
import { queryOf } from '../place/filter.ts';
import { go } from '../place/place.ts';

/** Typing asks nothing new until it pauses for so long. */
const PAUSE_MS = 200;

/** Puts a filter into the address of the page. */
export function show(filter: SocketFilter | ChannelFilter): void {
  const query = queryOf(filter);
  go(query === '' ? location.pathname : `${location.pathname}?${query}`, 'replace');
}

/** A value once it has kept for a moment. */
export function useSettled(value: string): string {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [value]);
  return settled;
}
