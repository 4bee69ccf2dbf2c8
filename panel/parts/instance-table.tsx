import type { VNode } from 'preact';
import type { InstanceOverview } from '../../src/inspect/api.ts';
import { bytes, count, duration } from '../figures/format.ts';
import { Table, type TableColumn } from './table.tsx';
import { Ago, nothing } from './time.tsx';

type Row = InstanceOverview | { readonly silent: string };

const known =
  (cell: (row: InstanceOverview) => VNode | string): TableColumn<Row>['cell'] =>
  (row) =>
    'silent' in row ? nothing : cell(row);

function Readiness({ row }: { readonly row: Row }): VNode {
  if ('silent' in row) return <b class="bad">✗ No answer</b>;
  if (row.isDraining) return <b class="warn">↓ Draining</b>;
  return row.isReady ? <b class="good">✓ Ready</b> : <b class="bad">✗ Not ready</b>;
}

const total = (counts: Readonly<Record<string, number>>): string =>
  count(Object.values(counts).reduce((sum, value) => sum + value, 0));

const COLUMNS: readonly TableColumn<Row>[] = [
  { name: 'Instance', cell: (row) => <code>{'silent' in row ? row.silent : row.instance}</code> },
  { name: 'Readiness', cell: (row) => <Readiness row={row} /> },
  { name: 'Sockets', isNumber: true, cell: known(({ sockets }) => total(sockets)) },
  { name: 'Channels', isNumber: true, cell: known(({ channels }) => total(channels)) },
  { name: 'Buffered', isNumber: true, cell: known(({ bufferedBytes }) => bytes(bufferedBytes)) },
  { name: 'Loop delay', isNumber: true, cell: known(({ eventLoopDelayMs }) => duration(eventLoopDelayMs)) },
  {
    name: 'Broker',
    isNumber: true,
    cell: known(({ broker }) =>
      broker.roundTripMs === undefined ? (
        <b class="bad">✗ {broker.name}: no answer</b>
      ) : (
        `${broker.name} ${duration(broker.roundTripMs)}`
      ),
    ),
  },
  { name: 'Not delivered', isNumber: true, cell: known(({ counters }) => count(counters.notDelivered)) },
  { name: 'Gaps', isNumber: true, cell: known(({ counters }) => count(counters.gaps)) },
  { name: 'Up for', isNumber: true, cell: known(({ startedAtMs }) => <Ago atMs={startedAtMs} />) },
  { name: 'Version', cell: known(({ version }) => version) },
];

interface InstanceTableProps {
  readonly answers: readonly InstanceOverview[];
  readonly unanswered: readonly string[];
}

export function InstanceTable({ answers, unanswered }: InstanceTableProps): VNode {
  const rows = [...answers, ...unanswered.map((silent) => ({ silent }))];
  return (
    <Table<Row>
      title="Instances"
      columns={COLUMNS}
      rows={rows}
      keyOf={(row) => ('silent' in row ? row.silent : row.instance)}
      empty="Nobody has answered yet."
    />
  );
}
