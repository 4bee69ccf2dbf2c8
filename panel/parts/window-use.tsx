import type { VNode } from 'preact';
import type { ReaderRow } from '../../src/inspect/api.ts';
import { bytes, count, percent } from '../figures/format.ts';
import { windowUseOf } from '../figures/rates.ts';

/** How full a window is, as a bar with its number. */
export function WindowUse({ window }: { readonly window: ReaderRow['window'] }): VNode {
  const use = windowUseOf(window);
  const words = `${count(window.events)} of ${count(window.maxEvents)} events, ${bytes(window.bytes)} of ${bytes(window.maxBytes)}`;
  return (
    <span class="use" title={words}>
      <meter min={0} max={1} value={use} aria-label={`Window: ${words}`} />
      {percent(Math.round(use * 1000) / 1000)}
    </span>
  );
}
