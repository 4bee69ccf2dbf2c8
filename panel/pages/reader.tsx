import type { VNode } from 'preact';
import type { BatchLine, Gathered, ReaderDetail } from '../../src/inspect/api.ts';
import { Statechart } from '../chart/statechart.tsx';
import { count, duration } from '../figures/format.ts';
import { Facts } from '../parts/facts.tsx';
import { PageTitle } from '../parts/page-title.tsx';
import { Refused } from '../parts/refused.tsx';
import { StateMark } from '../parts/signal.tsx';
import { Table } from '../parts/table.tsx';
import { Time } from '../parts/time.tsx';
import { TransitionList } from '../parts/transition-list.tsx';
import { Unanswered } from '../parts/unanswered.tsx';
import { WindowUse } from '../parts/window-use.tsx';
import { usePolled } from '../server/polled.ts';

const REFRESH_MS = 1000;

function OneInstance({ reader }: { readonly reader: ReaderDetail }): VNode {
  return (
    <section class="instance" aria-label={`On ${reader.instance}`}>
      <h2>
        On <code>{reader.instance}</code>
      </h2>
      <div class="beside">
        <Statechart machine="reader" active={reader.active} last={reader.transitions.at(-1)} />
        <div class="stack">
          <div class="card">
            <h3>Reader and router</h3>
            <Facts
              facts={[
                { name: 'State', value: <StateMark state={reader.state} /> },
                { name: 'Feed', value: reader.feed },
                { name: 'Failures in a row', value: count(reader.attempt) },
                ...(reader.lastError === undefined ? [] : [{ name: 'Last error', value: reader.lastError }]),
                { name: 'Router', value: reader.isRouting ? '✓ follows' : '– waits' },
                { name: 'Position', value: <code>{reader.position}</code> },
                { name: 'Epoch', value: <code>{reader.epoch}</code> },
                { name: 'Lag', value: duration(reader.lagMs) },
                {
                  name: 'Routed',
                  value: `${count(reader.events)} events in ${count(reader.batches)} batches`,
                },
                { name: 'Window', value: <WindowUse window={reader.window} /> },
                { name: 'Floor', value: <code>{reader.window.floor}</code> },
              ]}
            />
          </div>
          <div class="card">
            <h3>Last transitions</h3>
            <TransitionList transitions={reader.transitions} />
          </div>
        </div>
      </div>
      <Table<BatchLine>
        title="Last batches that its router took"
        rows={reader.recent.toReversed()}
        keyOf={({ firstId, lastId }) => `${firstId} ${lastId}`}
        empty="None yet: nothing was published since it reads."
        columns={[
          { name: 'At', cell: ({ atMs }) => <Time atMs={atMs} /> },
          { name: 'Events', isNumber: true, cell: (batch) => count(batch.count) },
          { name: 'First id', cell: ({ firstId }) => <code>{firstId}</code> },
          { name: 'Last id', cell: ({ lastId }) => <code>{lastId}</code> },
        ]}
      />
    </section>
  );
}

export function ReaderPage({ id }: { readonly id: string }): VNode {
  const { answer, refusal } = usePolled<Gathered<ReaderDetail>>(
    `/inspect/api/readers/${encodeURIComponent(id)}`,
    REFRESH_MS,
  );
  return (
    <>
      <PageTitle title={`Reader ${id}`} />
      <Refused refusal={refusal} />
      <Unanswered instances={answer?.unanswered ?? []} />
      {answer?.answers.length === 0 && <p class="empty">No instance has a reader of this name.</p>}
      {answer?.answers.map((reader) => (
        <OneInstance key={reader.instance} reader={reader} />
      ))}
    </>
  );
}
