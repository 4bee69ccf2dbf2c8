import type { VNode } from 'preact';
import type { Transition } from '../../src/inspect/api.ts';
import { causeOf, stepOf } from '../log/sentence.ts';
import { Time } from './time.tsx';

/** The last steps of a machine, newest first, each with its time and cause. */
export function TransitionList({ transitions }: { readonly transitions: readonly Transition[] }): VNode {
  if (transitions.length === 0) return <p class="empty">No step yet: it is where it began.</p>;
  return (
    <div class="scroll" tabIndex={0} role="group" aria-label="Last transitions">
      <ol class="steps">
        {transitions.toReversed().map((step, at) => (
          <li key={`${step.atMs} ${transitions.length - at}`}>
            <Time atMs={step.atMs} />
            <span class="cause">{causeOf(step)}</span>
            <span class="step">{stepOf(step)}</span>
          </li>
        ))}
      </ol>
    </div>
  );
}
