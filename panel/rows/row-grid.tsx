import type { ComponentChildren, VNode } from 'preact';
import { useEffect, useId, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Rows } from '../../src/inspect/api.ts';
import { count } from '../figures/format.ts';
import { Refused } from '../parts/refused.tsx';
import { Unanswered } from '../parts/unanswered.tsx';
import { go } from '../place/place.ts';
import { usePolled } from '../server/polled.ts';
import { asked, drawn, moved, REACHABLE, scrolledTo, type View } from './range.ts';

export interface GridColumn<Row> {
  readonly name: string;
  /** By which the server sorts, where it can. */
  readonly sort?: string;
  readonly isNumber?: boolean;
  readonly cell: (row: Row) => ComponentChildren;
}

interface RowGridProps<Row> {
  readonly label: string;
  /** `/inspect/api/…`. */
  readonly list: string;
  /** Which rows, in which order; without the range. */
  readonly query: string;
  readonly columns: readonly GridColumn<Row>[];
  readonly className: string;
  readonly sort: string;
  readonly isDescending: boolean;
  readonly onSort: (sort: string, isDescending: boolean) => void;
  readonly keyOf: (row: Row) => string;
  readonly pathOf: (row: Row) => string;
  /** Shown where nothing is there; and where nothing matches. */
  readonly empty: ComponentChildren;
  readonly noMatch: ComponentChildren;
}

const REFRESH_MS = 2000;
const NARROW = '(max-width: 46rem)';
const rowHeight = (): number => (matchMedia(NARROW).matches ? 92 : 42);

/** A list of any length: only the rows that can be seen are asked for and drawn. */
export function RowGrid<Row>(props: RowGridProps<Row>): VNode {
  const { label, list, query, columns, sort, isDescending, onSort, keyOf, pathOf } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const head = useRef<HTMLDivElement>(null);
  const prefix = useId();
  const [seen, setSeen] = useState({ scrollTop: 0, height: 600, rowHeight: rowHeight() });
  /** The chosen row: by its key while it is there, else by its place. */
  const [chosen, setChosen] = useState<{ readonly index: number; readonly key?: string | undefined }>({
    index: -1,
  });
  /** How many rows there were by the last answer: the next question needs it. */
  const [matched, setMatched] = useState(0);
  const view: View = { ...seen, matched };
  const range = drawn(view);
  const question = asked(range);

  const parts = [query, `offset=${question.offset}`, `limit=${question.limit}`].filter((part) => part !== '');
  const { answer, refusal, isCurrent } = usePolled<Rows<Row>>(`${list}?${parts.join('&')}`, REFRESH_MS);
  useLayoutEffect(() => setMatched(Math.min(REACHABLE, answer?.matched ?? 0)), [answer]);

  const rowAt = (index: number): Row | undefined => answer?.rows[index - answer.offset];
  const found = answer?.rows.findIndex((row) => keyOf(row) === chosen.key) ?? -1;
  const active =
    found >= 0 && answer !== undefined ? answer.offset + found : Math.min(chosen.index, matched - 1);

  const look = (): void => {
    const place = scroller.current;
    if (place === null) return;
    const next = {
      scrollTop: place.scrollTop,
      height: place.clientHeight - (head.current?.offsetHeight ?? 0),
      rowHeight: rowHeight(),
    };
    setSeen((before) =>
      before.scrollTop === next.scrollTop &&
      before.height === next.height &&
      before.rowHeight === next.rowHeight
        ? before
        : next,
    );
  };
  useEffect(() => {
    const watching = new ResizeObserver(look);
    if (scroller.current !== null) watching.observe(scroller.current);
    return () => watching.disconnect();
  }, []);
  // Another question has another answer, whose first rows are wanted.
  useEffect(() => {
    scroller.current?.scrollTo(0, 0);
    setChosen({ index: -1 });
  }, [query]);

  function press(event: KeyboardEvent): void {
    if (event.target !== scroller.current) return;
    const row = rowAt(active);
    if (event.key === 'Enter' && row !== undefined) {
      event.preventDefault();
      go(pathOf(row));
      return;
    }
    const next = moved(event.key, active, view);
    if (next === undefined) return;
    event.preventDefault();
    const nextRow = rowAt(next);
    setChosen({ index: next, key: nextRow && keyOf(nextRow) });
    scroller.current?.scrollTo({ top: scrolledTo(next, view) });
  }

  function open(event: MouseEvent, row: Row): void {
    if (event.defaultPrevented || getSelection()?.isCollapsed === false) return;
    if (event.target instanceof Element && event.target.closest('a') !== null) return;
    go(pathOf(row));
  }

  const indices = Array.from({ length: range.limit }, (_, at) => range.offset + at);
  const isEmpty = answer !== undefined && isCurrent && answer.matched === 0;
  return (
    <>
      <p class="tally" role="status">
        {answer === undefined ? 'Asking…' : `${count(answer.matched)} of ${count(answer.total)}`}
        {(answer?.matched ?? 0) > REACHABLE &&
          ` · the first ${count(REACHABLE)} can be reached here: narrow it`}
      </p>
      <Refused refusal={refusal} />
      <Unanswered instances={answer?.unanswered ?? []} />
      <div
        ref={scroller}
        class={`grid ${props.className}`}
        role="grid"
        aria-label={label}
        aria-rowcount={matched + 1}
        aria-activedescendant={
          active >= range.offset && active < range.offset + range.limit ? `${prefix}${active}` : undefined
        }
        tabIndex={0}
        onScroll={look}
        onKeyDown={press}
      >
        <div role="rowgroup" class="grid-head" ref={head}>
          <div role="row" class="grid-row" aria-rowindex={1}>
            {columns.map((column) => (
              <div
                key={column.name}
                role="columnheader"
                class={column.isNumber ? 'number' : ''}
                aria-sort={column.sort !== sort ? undefined : isDescending ? 'descending' : 'ascending'}
              >
                {column.sort === undefined ? (
                  column.name
                ) : (
                  <button
                    type="button"
                    onClick={() => onSort(column.sort ?? '', column.sort === sort ? !isDescending : false)}
                  >
                    {column.name}
                    <span aria-hidden="true">{column.sort !== sort ? '' : isDescending ? ' ▼' : ' ▲'}</span>
                  </button>
                )}
              </div>
            ))}
          </div>
        </div>
        <div role="rowgroup" class="grid-body" style={{ height: `${matched * view.rowHeight}px` }}>
          {indices.map((index) => {
            const row = rowAt(index);
            return (
              <div
                key={row === undefined ? `at ${index}` : keyOf(row)}
                id={`${prefix}${index}`}
                role="row"
                class="grid-row"
                aria-rowindex={index + 2}
                aria-selected={index === active}
                style={{
                  transform: `translateY(${index * view.rowHeight}px)`,
                  height: `${view.rowHeight}px`,
                }}
                onClick={row && ((event) => open(event, row))}
              >
                {columns.map(({ name, isNumber, cell }) => (
                  <div key={name} role="gridcell" data-name={name} class={isNumber ? 'number' : ''}>
                    {row === undefined ? <span class="fine">…</span> : cell(row)}
                  </div>
                ))}
              </div>
            );
          })}
        </div>
      </div>
      {isEmpty && <p class="empty">{answer.total === 0 ? props.empty : props.noMatch}</p>}
    </>
  );
}
