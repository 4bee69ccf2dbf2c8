import type { VNode } from 'preact';

/** That a part of the answer is missing. */
export function Unanswered({ instances }: { readonly instances: readonly string[] }): VNode | null {
  if (instances.length === 0) return null;
  return (
    <p class="notice">⚠ Not answered in time: {instances.join(', ')}. What they know is missing here.</p>
  );
}
