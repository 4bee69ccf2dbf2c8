import type { ChannelFilter, ChannelRow, Rows, SocketFilter, SocketRow } from './api.ts';

const DEFAULT_LIMIT = 100;

/** A process's part of a list: its first rows, as many as may be wanted of all. */
export type PartOfRows<Row> = Pick<Rows<Row>, 'rows' | 'matched' | 'total'>;

interface Order {
  readonly sort?: string | undefined;
  readonly isDescending?: boolean | undefined;
  readonly offset?: number | undefined;
  readonly limit?: number | undefined;
}

/** Whether a text is in one of several, in any case. */
const isIn = (text: string, texts: readonly (string | undefined)[]): boolean => {
  const wanted = text.toLowerCase();
  return texts.some((one) => one?.toLowerCase().includes(wanted) === true);
};

/** What a socket is asked for; nothing of it is worked out that is not. `channels`: all of them. */
export type SocketFacts = Pick<
  SocketRow,
  'id' | 'user' | 'session' | 'address' | 'state' | 'lagMs' | 'bufferedBytes' | 'channels'
>;

/** Asked of every socket: what costs most last. */
export function matchesSocket(facts: SocketFacts, filter: SocketFilter): boolean {
  const { text, state, user, channel, address, minLagMs = 0, minBufferedBytes = 0 } = filter;
  return (
    (state === undefined || state.length === 0 || state.includes(facts.state)) &&
    (minBufferedBytes === 0 || facts.bufferedBytes >= minBufferedBytes) &&
    (minLagMs === 0 || facts.lagMs >= minLagMs) &&
    (user === undefined || isIn(user, [facts.user])) &&
    (address === undefined || isIn(address, [facts.address])) &&
    (channel === undefined || isIn(channel, facts.channels)) &&
    (text === undefined ||
      isIn(text, [facts.id, facts.user, facts.session, facts.address]) ||
      isIn(text, facts.channels))
  );
}

export function matchesChannel(row: ChannelRow, { text, state }: ChannelFilter): boolean {
  return (
    (state === undefined || state.length === 0 || state.includes(row.state)) &&
    (text === undefined || isIn(text, [row.name]))
  );
}

/** The first rows of a process, sorted; `nameOf` settles ties, so that a list does not jump. */
export function firstRows<Row extends object>(
  matching: readonly Row[],
  total: number,
  order: Order,
  nameOf: (row: Row) => string,
): PartOfRows<Row> {
  const { offset = 0, limit = DEFAULT_LIMIT } = order;
  const rows = sorted(matching, order, nameOf).slice(0, offset + limit);
  return { rows, matched: matching.length, total };
}

/** The rows that were asked for, of the first rows of every process. */
export function mergeRows<Row extends object>(
  parts: readonly PartOfRows<Row>[],
  order: Order,
  nameOf: (row: Row) => string,
): Omit<Rows<Row>, 'unanswered'> {
  const { offset = 0, limit = DEFAULT_LIMIT } = order;
  const sum = (of: (part: PartOfRows<Row>) => number): number =>
    parts.reduce((total, part) => total + of(part), 0);
  const all = parts.flatMap(({ rows }) => rows);
  return {
    rows: sorted(all, order, nameOf).slice(offset, offset + limit),
    offset,
    matched: sum(({ matched }) => matched),
    total: sum(({ total }) => total),
  };
}

/** Each row is asked once for what it is sorted by: that may have to be worked out. */
function sorted<Row extends object>(
  rows: readonly Row[],
  { sort, isDescending = false }: Order,
  nameOf: (row: Row) => string,
): Row[] {
  const sign = isDescending ? -1 : 1;
  const valueOf = (row: Row): unknown =>
    sort === undefined ? undefined : (row as Readonly<Record<string, unknown>>)[sort];
  return rows
    .map((row) => ({ row, value: valueOf(row), name: nameOf(row) }))
    .sort((a, b) => sign * compareValues(a.value, b.value) || compareValues(a.name, b.name))
    .map(({ row }) => row);
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

/** Numbers by size, everything else as text; what is missing comes first. */
function compareValues(a: unknown, b: unknown): number {
  if (a === b) return 0;
  if (a === undefined) return -1;
  if (b === undefined) return 1;
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return textOf(a) < textOf(b) ? -1 : 1;
}
