import type { VNode } from 'preact';
import type { InstanceOverview, ReaderRow } from '../../src/inspect/api.ts';
import { aspectOfState } from '../chart/aspect.ts';
import { bytes, count, counted, duration, percent, rate } from '../figures/format.ts';
import { type Curve, Plot } from '../parts/plot.tsx';
import { InstanceTable } from '../parts/instance-table.tsx';
import { PageTitle } from '../parts/page-title.tsx';
import { ReaderTable } from '../parts/reader-table.tsx';
import { Signal, wordOfState } from '../parts/signal.tsx';
import { channelStates, socketStates } from '../place/filter.ts';
import { pathWith } from '../place/route.ts';
import { useWatched } from '../server/overview.ts';

const perSecond = (value: number | null): string => rate(value);

const POWERS_OF_TWO = Array.from({ length: 30 }, (_, at) => 2 ** (at + 10));

const PLOTS: readonly {
  readonly title: string;
  readonly curves: readonly Curve[];
  readonly write: (value: number | null) => string;
  readonly least: number;
  readonly steps?: readonly number[];
}[] = [
  {
    title: 'Deliveries and events a second',
    curves: [
      { figure: 'delivered', name: 'deliveries', colour: 'green' },
      { figure: 'routed', name: 'events', colour: 'blue' },
    ],
    write: perSecond,
    least: 10,
  },
  {
    title: 'Replayed a second',
    curves: [{ figure: 'replayed', name: 'replayed', colour: 'yellow' }],
    write: perSecond,
    least: 10,
  },
  {
    title: 'Lag of the readers',
    curves: [{ figure: 'lagMs', name: 'lag', colour: 'yellow' }],
    write: duration,
    least: 100,
  },
  {
    title: 'Window in use',
    curves: [{ figure: 'windowUse', name: 'window', colour: 'green' }],
    write: percent,
    least: 1,
  },
  {
    title: 'Buffered to sockets',
    curves: [{ figure: 'bufferedBytes', name: 'buffered', colour: 'blue' }],
    write: bytes,
    least: 65_536,
    steps: POWERS_OF_TWO,
  },
  {
    title: 'Event loop delay, longest',
    curves: [{ figure: 'eventLoopDelayMs', name: 'delay', colour: 'blue' }],
    write: duration,
    least: 20,
  },
  {
    title: 'Round trip to the broker',
    curves: [{ figure: 'roundTripMs', name: 'round trip', colour: 'green' }],
    write: duration,
    least: 5,
  },
];

type Counts = Readonly<Record<string, number>>;

function summed(
  answers: readonly InstanceOverview[],
  of: 'sockets' | 'channels',
  states: readonly string[],
): Counts {
  return Object.fromEntries(
    states.map((state) => [
      state,
      answers.reduce((sum, answer) => sum + ((answer[of] as Counts)[state] ?? 0), 0),
    ]),
  );
}

const READER_STATES = ['connecting', 'replaying', 'live', 'stale'];

/** Those that have stopped are there only while a process ends. */
function readersByState(readers: readonly ReaderRow[]): Counts {
  const isStopped = readers.some(({ state }) => state === 'stopped');
  return Object.fromEntries(
    [...READER_STATES, ...(isStopped ? ['stopped'] : [])].map((state) => [
      state,
      readers.filter((reader) => reader.state === state).length,
    ]),
  );
}

interface AspectsProps {
  readonly title: string;
  readonly noun: string;
  readonly counts: Counts;
  /** The list where these can be seen. */
  readonly page?: string;
}

function Aspects({ title, noun, counts, page }: AspectsProps): VNode {
  const total = Object.values(counts).reduce((sum, value) => sum + value, 0);
  return (
    <section class="aspect-row" data-of={page ?? 'readers'}>
      <h2>
        {title} <span class="total">{count(total)}</span>
      </h2>
      <ul class="aspects">
        {Object.entries(counts).map(([state, value]) => (
          <li key={state} data-state={state} class={value > 0 ? 'some' : ''}>
            <Signal aspect={aspectOfState(state)} isUnlit={value === 0} isUpright />
            <span>
              <b>{count(value)}</b>
              {page === undefined ? (
                <span>{wordOfState(state)}</span>
              ) : (
                <a href={pathWith(page, { state })} aria-label={`${counted(value, noun)} ${state}`}>
                  {wordOfState(state)}
                </a>
              )}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

export function OverviewPage(): VNode {
  const { overview, samples } = useWatched();
  const answers = overview?.answers ?? [];
  const readers = answers.flatMap((answer) => answer.readers);
  const sockets = summed(answers, 'sockets', socketStates);
  const isEmpty = overview !== undefined && Object.values(sockets).every((value) => value === 0);
  return (
    <>
      <PageTitle title="Overview">
        <p class="fine">
          {overview === undefined ? 'Asking…' : `${counted(answers.length, 'instance')} answered`}
        </p>
      </PageTitle>
      <div class="board">
        <Aspects title="Sockets" noun="socket" counts={sockets} page="sockets" />
        <div class="two">
          <Aspects
            title="Channels"
            noun="channel"
            counts={summed(answers, 'channels', channelStates)}
            page="channels"
          />
          <Aspects title="Readers" noun="reader" counts={readersByState(readers)} />
        </div>
        {isEmpty && (
          <p class="engraved">
            No sockets yet. Open the server's first page (<code>/</code> on its own port) in another tab, or
            connect a client: it lights up here.
          </p>
        )}
      </div>
      <section aria-labelledby="lately">
        <h2 id="lately">The last five minutes</h2>
        <div class="plots">
          {PLOTS.map((plot) => (
            <Plot key={plot.title} {...plot} samples={samples} />
          ))}
        </div>
      </section>
      <InstanceTable answers={answers} unanswered={overview?.unanswered ?? []} />
      <ReaderTable readers={readers} />
    </>
  );
}
