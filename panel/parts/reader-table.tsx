import type { VNode } from 'preact';
import type { ReaderRow } from '../../src/inspect/api.ts';
import { count, duration } from '../figures/format.ts';
import { readerPath } from '../place/route.ts';
import { StateMark } from './signal.tsx';
import { Table, type TableColumn } from './table.tsx';
import { WindowUse } from './window-use.tsx';

const COLUMNS: readonly TableColumn<ReaderRow>[] = [
  {
    name: 'Reader',
    cell: ({ id }) => (
      <a href={readerPath(id)}>
        <code>{id}</code>
      </a>
    ),
  },
  { name: 'State', cell: ({ state }) => <StateMark state={state} /> },
  { name: 'Router', cell: ({ isRouting }) => (isRouting ? '✓ follows' : '– waits') },
  { name: 'Instance', cell: ({ instance }) => <code>{instance}</code> },
  { name: 'Position', cell: ({ position }) => <code>{position}</code> },
  { name: 'Lag', isNumber: true, cell: ({ lagMs }) => duration(lagMs) },
  { name: 'Events', isNumber: true, cell: ({ events }) => count(events) },
  { name: 'Window', cell: ({ window }) => <WindowUse window={window} /> },
  {
    name: 'Failures',
    isNumber: true,
    cell: ({ attempt, lastError }) => <span title={lastError}>{count(attempt)}</span>,
  },
];

export function ReaderTable({ readers }: { readonly readers: readonly ReaderRow[] }): VNode {
  return (
    <Table
      title="Readers"
      columns={COLUMNS}
      rows={readers}
      keyOf={({ instance, id }) => `${instance} ${id}`}
      empty="No reader: nothing is configured that would be read from a broker."
    />
  );
}
