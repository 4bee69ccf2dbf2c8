import type { VNode } from 'preact';
import type { Explained, Explanation } from '../../src/inspect/api.ts';
import { wordOf } from '../log/sentence.ts';
import { queryOf } from '../place/filter.ts';
import { socketPath } from '../place/route.ts';
import { usePolled } from '../server/polled.ts';
import { Refused } from './refused.tsx';
import { Time } from './time.tsx';
import { Unanswered } from './unanswered.tsx';

/** What went well, what may still, and what did not: as a mark, a word and a colour. */
function markOf({ verdict }: Explanation): { readonly mark: string; readonly tone: string } {
  if (verdict.kind === 'delivered') return { mark: '✓', tone: 'good' };
  if (['due', 'stale', 'not_read'].includes(verdict.kind)) return { mark: '…', tone: 'warn' };
  if (verdict.kind === 'unknown' || verdict.kind === 'unknown_event') return { mark: '?', tone: 'warn' };
  return { mark: '✗', tone: 'bad' };
}

function VerdictCard({ explanation }: { readonly explanation: Explanation }): VNode {
  const { mark, tone } = markOf(explanation);
  const { socket, user, instance, evidence, sentence, verdict } = explanation;
  return (
    <li class="verdict" data-verdict={verdict.kind}>
      <h3 class={tone}>
        <span aria-hidden="true">{mark}</span> {wordOf(verdict)}
      </h3>
      <p class="sentence">{sentence}</p>
      <p class="fine">
        Socket{' '}
        <a href={socketPath(socket)}>
          <code>{socket}</code>
        </a>
        {user !== undefined && <> of {user}</>} on <code>{instance}</code>
      </p>
      {evidence.length > 0 && (
        <ol class="timeline" aria-label="What this was derived from">
          {evidence.map(({ atMs, text }) => (
            <li key={`${atMs} ${text}`}>
              <Time atMs={atMs} />
              <span>{text}</span>
            </li>
          ))}
        </ol>
      )}
    </li>
  );
}

/** Asks why an event did, or did not, get somewhere, and shows what is answered. */
export function WhyAnswer({ question }: { readonly question: Readonly<Record<string, string>> }): VNode {
  const query = queryOf(question);
  const { answer, refusal, isCurrent } = usePolled<Explained>(`/inspect/explain?${query}`);
  const isAsking = !isCurrent;
  return (
    <div class="why-answer" aria-live="polite" aria-busy={isAsking}>
      <Refused refusal={isCurrent ? refusal : undefined} />
      {isAsking && <p class="fine">Asking every instance…</p>}
      {answer !== undefined && isCurrent && (
        <>
          <p>
            Event <code>{answer.event.id}</code>
            {answer.event.channels === undefined ? (
              ' is nowhere to be found.'
            ) : (
              <>
                {' '}
                on <b>{answer.event.channels.join(', ')}</b>
                {answer.event.feed !== undefined && ` (${answer.event.feed})`}
              </>
            )}
          </p>
          <Unanswered instances={answer.unanswered} />
          {answer.answers.length === 0 ? (
            <p class="empty">
              No socket like that is known. Sockets are remembered for a while after they are gone.
            </p>
          ) : (
            <ul class="verdicts">
              {answer.answers.map((explanation) => (
                <VerdictCard
                  key={`${explanation.instance} ${explanation.socket}`}
                  explanation={explanation}
                />
              ))}
            </ul>
          )}
        </>
      )}
    </div>
  );
}
