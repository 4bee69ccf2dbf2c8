import type { VNode } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { LogLine } from '../../src/inspect/api.ts';
import { count, counted } from '../figures/format.ts';
import { Time } from '../parts/time.tsx';
import { socketPath } from '../place/route.ts';
import { type Line, openStream } from '../server/stream.ts';
import { type Entry, isShown, type LogFilter, withLines } from './buffer.ts';
import { textOf } from './sentence.ts';

const KINDS: Record<LogLine['kind'], string> = {
  transition: 'Transition',
  delivered: 'Delivered',
  replayed: 'Replayed',
  span: 'Subscription',
  denied: 'Denied',
  opened: 'Opened',
  closed: 'Closed',
  dropped: 'Left out',
};
/** A mark beside the word, so that kinds can be told apart at a glance. */
const MARKS: Record<LogLine['kind'], string> = {
  transition: '◆',
  delivered: '→',
  replayed: '↻',
  span: '═',
  denied: '✗',
  opened: '+',
  closed: '■',
  dropped: '…',
};
const LINES: Readonly<Record<Line, string>> = {
  connecting: 'Connecting',
  live: 'Listening',
  cut: 'Cut: trying again',
};

interface LogViewProps {
  /** `socket=…`, `user=…` or `channel=…`. */
  readonly query: string;
  /** One socket's lines need not say whose they are. */
  readonly isOneSocket?: boolean;
  readonly filter: LogFilter;
  readonly onFilter: (filter: LogFilter) => void;
  readonly onLine?: (line: LogLine) => void;
}

/** Hears the log; lines come in handfuls, so that a thousand a second cost ten drawings. */
function useLines(
  query: string,
  isHeld: boolean,
  onLine?: (line: LogLine) => void,
): [readonly Entry[], Line, () => void] {
  const [entries, setEntries] = useState<readonly Entry[]>([]);
  const [line, setLine] = useState<Line>('connecting');
  const held = useRef(isHeld);
  held.current = isHeld;
  const ear = useRef(onLine);
  ear.current = onLine;
  useEffect(() => {
    let waiting: LogLine[] = [];
    setEntries([]);
    const stop = openStream<LogLine>(`/inspect/api/log?${query}`, {
      onLine: setLine,
      onMessage: (message) => {
        ear.current?.(message);
        // What comes while it is held waits, as much of it as would be kept.
        waiting = [...waiting.slice(-499), message];
      },
    });
    const timer = setInterval(() => {
      if (held.current || waiting.length === 0) return;
      const lines = waiting;
      waiting = [];
      setEntries((before) => withLines(before, lines));
    }, 100);
    return () => {
      clearInterval(timer);
      stop();
    };
  }, [query]);
  return [entries, line, () => setEntries([])];
}

export function LogView({ query, isOneSocket = false, filter, onFilter, onLine }: LogViewProps): VNode {
  const [isHeld, setHeld] = useState(false);
  const [entries, line, clear] = useLines(query, isHeld, onLine);
  const shown = entries.filter((entry) => isShown(entry.line, filter));
  const toggle = (kind: string, isOn: boolean): void =>
    onFilter({
      ...filter,
      kinds: isOn ? [...filter.kinds, kind] : filter.kinds.filter((other) => other !== kind),
    });
  return (
    <div class="log">
      <form class="filter" role="search" aria-label="Log" onSubmit={(event) => event.preventDefault()}>
        <div class="field search">
          <label for="log-text">Text</label>
          <input
            id="log-text"
            type="search"
            value={filter.text}
            autocomplete="off"
            placeholder="state, channel, id, reason"
            onInput={(event) => onFilter({ ...filter, text: event.currentTarget.value })}
          />
        </div>
        <fieldset class="choice">
          <legend>Kind</legend>
          {Object.entries(KINDS).map(([kind, word]) => (
            <label key={kind}>
              <input
                type="checkbox"
                checked={filter.kinds.includes(kind)}
                onChange={({ currentTarget }) => toggle(kind, currentTarget.checked)}
              />
              <span>{word}</span>
            </label>
          ))}
        </fieldset>
        <div class="buttons">
          <button type="button" aria-pressed={isHeld} onClick={() => setHeld(!isHeld)}>
            {isHeld ? '▶ Let it run' : '❚❚ Hold the list'}
          </button>
          <button type="button" class="quiet" onClick={clear}>
            Clear
          </button>
        </div>
      </form>
      <p class="tally" role="status">
        {isHeld ? '❚❚ Held' : line === 'live' ? '● ' : '○ '}
        {!isHeld && LINES[line]}
        {' · '}
        {shown.length === entries.length
          ? counted(shown.length, 'line')
          : `${count(shown.length)} of ${counted(entries.length, 'line')}`}
      </p>
      <div class="scroll lines" tabIndex={0} role="group" aria-label="Lines of the log, newest first">
        {shown.length === 0 && (
          <p class="empty">
            {entries.length === 0
              ? 'Nothing happened since you look. It appears here when it does.'
              : 'No line matches.'}
          </p>
        )}
        <ol>
          {shown.map(({ number, line: each }) => (
            <li key={number} class={each.kind}>
              <Time atMs={each.atMs} />
              <b class="kind">
                <span aria-hidden="true">{MARKS[each.kind]}</span> {KINDS[each.kind]}
              </b>
              {!isOneSocket && (
                <span class="whose">
                  <a href={socketPath(each.socket)}>
                    <code>{each.socket}</code>
                  </a>
                  {each.user !== undefined && ` ${each.user}`}
                </span>
              )}
              <span class="text">{textOf(each)}</span>
            </li>
          ))}
        </ol>
      </div>
    </div>
  );
}
