import type { VNode } from 'preact';
import { clockTime } from '../figures/format.ts';
import { useWatched } from '../server/overview.ts';

/** Says that what is shown is not what is: the line is cut, or a process did not answer. */
export function LineNotice(): VNode {
  const { line, cutAtMs, overview } = useWatched();
  const silent = overview?.unanswered ?? [];
  return (
    <div role="status" class="notices">
      {line === 'cut' && (
        <p class="notice grave">
          <b>✗ The line to the server is cut</b>
          {cutAtMs !== undefined && <> since {clockTime(cutAtMs).slice(0, 8)}</>}. What you see is from
          before. Trying again by itself.
        </p>
      )}
      {line !== 'cut' && silent.length > 0 && (
        <p class="notice">
          <b>⚠ No answer from {silent.length === 1 ? 'an instance' : `${silent.length} instances`}</b> that
          should be alive: {silent.join(', ')}. Their sockets are missing here.
        </p>
      )}
    </div>
  );
}
