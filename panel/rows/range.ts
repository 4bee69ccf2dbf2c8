/** Which rows of a long list there are to be drawn, and to be asked for. */

/** The server gives no more at once. */
export const LIMIT = 500;
/** Nor further down a list than this: every process would have to send all rows up to there. */
export const REACHABLE = 20_000;
/** Questions begin at multiples of it, so that a little scrolling asks nothing new. */
const STEP = 50;
/** Rows beyond the edges that are drawn too, so that scrolling does not show an empty edge. */
const MARGIN = 12;

export interface View {
  readonly scrollTop: number;
  readonly height: number;
  readonly rowHeight: number;
  /** How many rows there are. */
  readonly matched: number;
}

export interface Range {
  readonly offset: number;
  readonly limit: number;
}

/** The rows that can be seen, with a margin on both sides. */
export function drawn({ scrollTop, height, rowHeight, matched }: View): Range {
  const first = Math.floor(Math.max(0, scrollTop) / rowHeight) - MARGIN;
  const last = Math.ceil((Math.max(0, scrollTop) + height) / rowHeight) + MARGIN;
  // A list that became shorter than where it was scrolled to: its end is what will be seen.
  const offset = Math.max(0, Math.min(first, matched - (last - first)));
  return { offset, limit: Math.max(0, Math.min(matched, last) - offset) };
}

/** What to ask the server for to have these rows. */
export function asked({ offset, limit }: Range): Range {
  const from = Math.floor(offset / STEP) * STEP;
  const to = Math.ceil((offset + Math.max(1, limit)) / STEP) * STEP;
  return { offset: from, limit: Math.min(LIMIT, to - from) };
}

/** Where to scroll so that a row can be seen, moving as little as possible. */
export function scrolledTo(index: number, { scrollTop, height, rowHeight }: View): number {
  const top = index * rowHeight;
  if (top < scrollTop) return top;
  if (top + rowHeight > scrollTop + height) return top + rowHeight - height;
  return scrollTop;
}

/** The row that a key moves to; undefined: the key moves nothing. */
export function moved(key: string, index: number, { height, rowHeight, matched }: View): number | undefined {
  if (matched === 0) return undefined;
  const page = Math.max(1, Math.floor(height / rowHeight) - 1);
  const to: Record<string, number> = {
    ArrowDown: index + 1,
    ArrowUp: index - 1,
    PageDown: index + page,
    PageUp: index - page,
    Home: 0,
    End: matched - 1,
  };
  const next = to[key];
  return next === undefined ? undefined : Math.max(0, Math.min(matched - 1, next));
}
