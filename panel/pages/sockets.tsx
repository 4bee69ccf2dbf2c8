import type { VNode } from 'preact';
import type { SocketFilter, SocketRow, SocketSort } from '../../src/inspect/api.ts';
import { bytes, duration } from '../figures/format.ts';
import { PageTitle } from '../parts/page-title.tsx';
import { StateMark } from '../parts/signal.tsx';
import { Ago } from '../parts/time.tsx';
import { queryOf, socketFilterOf, socketStates } from '../place/filter.ts';
import { useQuery } from '../place/place.ts';
import { BASE, socketPath } from '../place/route.ts';
import { Field, FilterForm, Search, SortChoice, StateChoice } from '../rows/filter-form.tsx';
import { show, useSettled } from '../rows/list-place.ts';
import { type GridColumn, RowGrid } from '../rows/row-grid.tsx';

const late = (ms: number): string => (ms === 0 ? '0' : duration(ms));

const COLUMNS: readonly GridColumn<SocketRow>[] = [
  { name: 'State', sort: 'state', cell: ({ state }) => <StateMark state={state} /> },
  {
    name: 'Socket',
    sort: 'id',
    cell: ({ id }) => (
      <a href={socketPath(id)} tabIndex={-1}>
        <code>{id}</code>
      </a>
    ),
  },
  { name: 'User', sort: 'user', cell: ({ user }) => user ?? <span class="fine">nobody</span> },
  { name: 'Address', cell: ({ address }) => <code>{address}</code> },
  {
    name: 'Channels',
    cell: ({ channels, channelCount }) => (
      <span title={channels.join(', ')}>
        {channels[0] ?? <span class="fine">none</span>}
        {channelCount > 1 && <span class="fine"> +{channelCount - 1}</span>}
      </span>
    ),
  },
  { name: 'Lag', sort: 'lagMs', isNumber: true, cell: ({ lagMs }) => late(lagMs) },
  {
    name: 'Buffered',
    sort: 'bufferedBytes',
    isNumber: true,
    cell: ({ bufferedBytes }) => bytes(bufferedBytes),
  },
  {
    name: 'Round trip',
    sort: 'roundTripMs',
    isNumber: true,
    cell: ({ roundTripMs }) => duration(roundTripMs),
  },
  {
    name: 'Opened',
    sort: 'openedAtMs',
    isNumber: true,
    cell: ({ openedAtMs }) => (
      <>
        <Ago atMs={openedAtMs} /> ago
      </>
    ),
  },
];
/** The oldest first: what is new comes below, and moves nothing. */
const FIRST_SORT = 'openedAtMs';
const SORTS = COLUMNS.flatMap(({ sort, name }) => (sort === undefined ? [] : [[sort, name] as const]));

/** What the details below the search box narrow. */
const DETAILS = ['user', 'channel', 'address', 'minLagMs', 'minBufferedBytes'] as const;

export function SocketsPage(): VNode {
  const [query] = useQuery();
  const filter = socketFilterOf(query);
  const change = (part: SocketFilter): void => show({ ...filter, ...part });
  const asked = useSettled(queryOf({ ...filter, sort: filter.sort ?? FIRST_SORT }));
  const onSort = (sort: string, isDescending: boolean): void =>
    change({ sort: sort as SocketSort, isDescending });
  const sort = filter.sort ?? FIRST_SORT;
  const isDescending = filter.isDescending ?? false;
  const text = (name: (typeof DETAILS)[number]): string => String(filter[name] ?? '');
  const hasDetails = DETAILS.some((name) => filter[name] !== undefined);
  return (
    <>
      <PageTitle title="Sockets" />
      <FilterForm>
        <Search
          value={filter.text ?? ''}
          hint="id, user, session, channel, address"
          onChange={(value) => change({ text: value })}
        />
        <StateChoice
          states={socketStates}
          chosen={filter.state ?? []}
          onChange={(state) => change({ state })}
        />
        <SortChoice sorts={SORTS} sort={sort} isDescending={isDescending} onSort={onSort} />
        <details open={hasDetails}>
          <summary>More filters</summary>
          <div class="fields">
            <Field name="user" label="User" value={text('user')} onChange={(user) => change({ user })} />
            <Field
              name="channel"
              label="Channel"
              value={text('channel')}
              onChange={(channel) => change({ channel })}
            />
            <Field
              name="address"
              label="Address"
              value={text('address')}
              onChange={(address) => change({ address })}
            />
            <Field
              name="lag"
              label="Lag of at least (ms)"
              type="number"
              value={text('minLagMs')}
              onChange={(value) => change({ minLagMs: Number(value) || undefined })}
            />
            <Field
              name="buffered"
              label="Buffered at least (bytes)"
              type="number"
              value={text('minBufferedBytes')}
              onChange={(value) => change({ minBufferedBytes: Number(value) || undefined })}
            />
          </div>
        </details>
      </FilterForm>
      <RowGrid<SocketRow>
        label="Sockets"
        className="sockets"
        list="/inspect/api/sockets"
        query={asked}
        columns={COLUMNS}
        sort={sort}
        isDescending={isDescending}
        onSort={onSort}
        keyOf={({ instance, id }) => `${instance} ${id}`}
        pathOf={({ id }) => socketPath(id)}
        empty={
          <>
            No sockets yet. Open the server's first page (<code>/</code> on its own port) in another tab, or
            connect a client, and it appears here within two seconds.
          </>
        }
        noMatch={
          <>
            No socket matches. <a href={`${BASE}/sockets`}>Show them all</a>
          </>
        }
      />
    </>
  );
}
