import type { VNode } from 'preact';
import { type Aspect, aspectOfState } from '../chart/aspect.ts';

/** Which of its four lamps are lit, in their order: yellow, green, yellow, red. Where a lamp is tells what it says. */
const LIT: Readonly<Record<Aspect, readonly number[]>> = {
  clear: [1],
  caution: [2],
  preliminary: [0, 2],
  danger: [3],
  dark: [],
};
const COLOURS = ['yellow', 'green', 'yellow', 'red'];

interface SignalProps {
  readonly aspect: Aspect;
  readonly isUpright?: boolean;
  /** Nothing is in that state. */
  readonly isUnlit?: boolean;
}

/** A colour-light signal, lying or standing. Beside it stands the word that it means. */
export function Signal({ aspect, isUpright = false, isUnlit = false }: SignalProps): VNode {
  const at = (lamp: number): { cx: number; cy: number } =>
    isUpright ? { cx: 9, cy: 9 + lamp * 11 } : { cx: 9 + lamp * 11, cy: 9 };
  return (
    <svg
      class={isUpright ? 'signal upright' : 'signal'}
      viewBox={isUpright ? '0 0 18 52' : '0 0 52 18'}
      aria-hidden="true"
    >
      <rect class="head" x="1" y="1" width={isUpright ? 16 : 50} height={isUpright ? 50 : 16} rx="8" />
      {COLOURS.map((colour, lamp) => (
        <circle
          key={lamp}
          class={!isUnlit && LIT[aspect].includes(lamp) ? `lamp ${colour}` : 'lamp'}
          r="4.5"
          {...at(lamp)}
        />
      ))}
      {aspect === 'dark' && !isUnlit && <path class="out" d={isUpright ? 'M4 44L14 8' : 'M8 14L44 4'} />}
    </svg>
  );
}

const WORDS: Readonly<Record<string, string>> = {
  connecting: 'Connecting',
  replaying: 'Replaying',
  live: 'Live',
  stale: 'Stale',
  closing: 'Closing',
  closed: 'Closed',
  stopped: 'Stopped',
};
export const wordOfState = (state: string): string => WORDS[state] ?? state;

/** A state as its signal and its word. */
export function StateMark({
  state,
  isLarge = false,
}: {
  readonly state: string;
  readonly isLarge?: boolean;
}): VNode {
  return (
    <span class={isLarge ? 'state large' : 'state'} data-state={state}>
      <Signal aspect={aspectOfState(state)} />
      <span>{wordOfState(state)}</span>
    </span>
  );
}
