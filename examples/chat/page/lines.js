/** @import { Line } from '../contract.ts' */

const TIME = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
/** So near to the end one reads the end. */
const NEAR_PX = 80;
const FOLLOWS_MS = 120_000;

/**
 * The lines that are shown: each once, in the order of their numbers, however they came. A line may come twice, in a
 * snapshot that was made just before it was published and by itself.
 *
 * @param {object} parts
 * @param {HTMLElement} parts.list
 * @param {HTMLElement} parts.scroller
 * @param {HTMLElement} parts.newest Shown when there are new lines below what is seen.
 * @param {(line: Line) => boolean} parts.isMine
 * @param {(line: Line) => void} parts.onShown
 */
export function createLines({ list, scroller, newest, isMine, onShown }) {
  /** @type {Line[]} */
  let lines = [];

  const isAtEnd = () => scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR_PX;
  const toEnd = () => {
    scroller.scrollTop = scroller.scrollHeight;
    newest.hidden = true;
  };

  /** @param {Line} line */
  function show(line) {
    if (lines.some(({ n }) => n === line.n)) return;
    const place = lines.findLastIndex(({ n }) => n < line.n) + 1;
    list.insertBefore(itemOf(line, isMine(line)), list.children[place] ?? null);
    lines.splice(place, 0, line);
    joinUp(place);
    joinUp(place + 1);
    onShown(line);
  }

  /** Lets a line that follows another of the same person look like it. @param {number} place */
  function joinUp(place) {
    const [before, line] = [lines[place - 1], lines[place]];
    if (line === undefined) return;
    const follows = before?.from === line.from && line.at - before.at < FOLLOWS_MS;
    list.children[place]?.classList.toggle('follows', follows);
  }

  newest.addEventListener('click', toEnd);
  scroller.addEventListener('scroll', () => {
    if (isAtEnd()) newest.hidden = true;
  });

  return {
    toEnd,

    /** @param {readonly Line[]} added */
    add(added) {
      const [wasAtEnd, height] = [isAtEnd(), scroller.scrollHeight];
      const last = lines.at(-1)?.n ?? 0;
      for (const line of added) show(line);
      if (wasAtEnd) toEnd();
      else if (added.some(({ n }) => n > last)) newest.hidden = false;
      // What is read stays where it is when something comes above it.
      else scroller.scrollTop += scroller.scrollHeight - height;
    },

    clear() {
      lines = [];
      list.replaceChildren();
      list.setAttribute('aria-busy', 'true');
      newest.hidden = true;
    },

    /** The number of the first that is shown. */
    first: () => lines[0]?.n,

    /** The number of a line before which some are missing. */
    hole: () => lines.find(({ n }, place) => place > 0 && n !== (lines[place - 1]?.n ?? 0) + 1)?.n,
  };
}

/** @param {Line} line @param {boolean} isMine */
function itemOf({ n, from, text, at }, isMine) {
  const item = document.createElement('li');
  item.dataset['n'] = String(n);
  item.dataset['from'] = from;
  if (isMine) item.className = 'mine';
  const [name, time, said] = ['b', 'time', 'p'].map((tag) => document.createElement(tag));
  if (name === undefined || time === undefined || said === undefined) return item;
  name.textContent = from;
  time.textContent = TIME.format(at);
  time.setAttribute('datetime', new Date(at).toISOString());
  said.textContent = text;
  item.append(name, ' ', time, said);
  return item;
}
