import type {
  ChannelFilter,
  ChannelState,
  SocketFilter,
  SocketSort,
  SocketState,
} from '../../src/inspect/api.ts';

/** Names the compiler holds to the contract: one that is new there is missing here. */
const SOCKET_STATE_NAMES: Record<SocketState, true> = {
  connecting: true,
  replaying: true,
  live: true,
  stale: true,
  closing: true,
};
const CHANNEL_STATE_NAMES: Record<ChannelState, true> = {
  connecting: true,
  replaying: true,
  live: true,
  stale: true,
};
const SOCKET_SORTS: Record<SocketSort, true> = {
  openedAtMs: true,
  user: true,
  state: true,
  lagMs: true,
  bufferedBytes: true,
  roundTripMs: true,
  id: true,
};
const CHANNEL_SORTS: Record<NonNullable<ChannelFilter['sort']>, true> = {
  name: true,
  state: true,
  subscribers: true,
};

export const socketStates = Object.keys(SOCKET_STATE_NAMES) as SocketState[];
export const channelStates = Object.keys(CHANNEL_STATE_NAMES) as ChannelState[];

const oneOf = <Name extends string>(names: Record<Name, true>, text: string | null): Name | undefined =>
  text !== null && Object.hasOwn(names, text) ? (text as Name) : undefined;

function quantity(text: string | null): number | undefined {
  const value = text === null || text.trim() === '' ? Number.NaN : Number(text);
  return Number.isFinite(value) && value > 0 ? value : undefined;
}

/** Without the members that are undefined: `exactOptionalPropertyTypes` tells them apart, and so does a URL. */
const given = <Fields extends object>(fields: { [Name in keyof Fields]: Fields[Name] | undefined }): Fields =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Fields;

/** Reads the filter of the sockets' list from a query; what is no value of a field is as if it were not there. */
export function socketFilterOf(query: URLSearchParams): SocketFilter {
  const state = socketStates.filter((name) => query.getAll('state').includes(name));
  return given<SocketFilter>({
    text: query.get('text') || undefined,
    state: state.length > 0 ? state : undefined,
    user: query.get('user') || undefined,
    channel: query.get('channel') || undefined,
    address: query.get('address') || undefined,
    minLagMs: quantity(query.get('minLagMs')),
    minBufferedBytes: quantity(query.get('minBufferedBytes')),
    sort: oneOf(SOCKET_SORTS, query.get('sort')),
    isDescending: query.get('isDescending') === 'true' || undefined,
  });
}

export function channelFilterOf(query: URLSearchParams): ChannelFilter {
  const state = channelStates.filter((name) => query.getAll('state').includes(name));
  return given<ChannelFilter>({
    text: query.get('text') || undefined,
    state: state.length > 0 ? state : undefined,
    sort: oneOf(CHANNEL_SORTS, query.get('sort')),
    isDescending: query.get('isDescending') === 'true' || undefined,
  });
}

/** The query of a filter, for the address of the page and for the server alike; empty where nothing is asked. */
export function queryOf(filter: object): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(filter)) {
    if (value === undefined || value === '' || value === false) continue;
    for (const each of Array.isArray(value) ? value : [value]) query.append(name, String(each));
  }
  return query.toString();
}
