import type { VNode } from 'preact';
import type { ChannelFilter, ChannelRow } from '../../src/inspect/api.ts';
import { count } from '../figures/format.ts';
import { PageTitle } from '../parts/page-title.tsx';
import { StateMark } from '../parts/signal.tsx';
import { channelFilterOf, channelStates, queryOf } from '../place/filter.ts';
import { useQuery } from '../place/place.ts';
import { BASE, channelPath } from '../place/route.ts';
import { FilterForm, Search, SortChoice, StateChoice } from '../rows/filter-form.tsx';
import { show, useSettled } from '../rows/list-place.ts';
import { type GridColumn, RowGrid } from '../rows/row-grid.tsx';

const COLUMNS: readonly GridColumn<ChannelRow>[] = [
  { name: 'State', sort: 'state', cell: ({ state }) => <StateMark state={state} /> },
  {
    name: 'Channel',
    sort: 'name',
    cell: ({ feed, name }) => (
      <a href={channelPath(feed, name)} tabIndex={-1}>
        <code>{name}</code>
      </a>
    ),
  },
  { name: 'Feed', cell: ({ feed }) => feed },
  { name: 'Subscribers', sort: 'subscribers', isNumber: true, cell: ({ subscribers }) => count(subscribers) },
  { name: 'Failures', isNumber: true, cell: ({ attempt }) => count(attempt) },
  { name: 'Instance', cell: ({ instance }) => <code>{instance}</code> },
];
const FIRST_SORT = 'name';
const SORTS = COLUMNS.flatMap(({ sort, name }) => (sort === undefined ? [] : [[sort, name] as const]));

export function ChannelsPage(): VNode {
  const [query] = useQuery();
  const filter = channelFilterOf(query);
  const change = (part: ChannelFilter): void => show({ ...filter, ...part });
  const asked = useSettled(queryOf({ ...filter, sort: filter.sort ?? FIRST_SORT }));
  const sort = filter.sort ?? FIRST_SORT;
  const isDescending = filter.isDescending ?? false;
  const onSort = (by: string, down: boolean): void =>
    change({ sort: by as ChannelFilter['sort'], isDescending: down });
  return (
    <>
      <PageTitle title="Channels" />
      <FilterForm>
        <Search value={filter.text ?? ''} hint="name or feed" onChange={(text) => change({ text })} />
        <StateChoice
          states={channelStates}
          chosen={filter.state ?? []}
          onChange={(state) => change({ state })}
        />
        <SortChoice sorts={SORTS} sort={sort} isDescending={isDescending} onSort={onSort} />
      </FilterForm>
      <RowGrid<ChannelRow>
        label="Channels"
        className="channels"
        list="/inspect/api/channels"
        query={asked}
        columns={COLUMNS}
        sort={sort}
        isDescending={isDescending}
        onSort={onSort}
        keyOf={({ instance, feed, name }) => `${instance} ${feed} ${name}`}
        pathOf={({ feed, name }) => channelPath(feed, name)}
        empty="No channels yet. One begins with its first subscriber: let a client subscribe, and it appears here."
        noMatch={
          <>
            No channel matches. <a href={`${BASE}/channels`}>Show them all</a>
          </>
        }
      />
    </>
  );
}
