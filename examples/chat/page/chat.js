import { connect } from '@signalbox/client';
import { createLines } from './lines.js';
import { createOutbox } from './outbox.js';

/** @import { Line, RoomSnapshot } from '../contract.ts' */
/** @import { Subscription } from '@signalbox/client' */

const STATES = {
  connecting: 'Connecting…',
  replaying: 'Connected again. Checking that nothing is missing…',
  live: 'Connected',
  stale: 'The connection is lost, trying again. What you say is kept and sent then.',
  closed: 'Not connected any more',
};
const DEFAULT_ROOM = 'lobby';
/** Other anchors are places on the page. */
const ROOM = /^#room\/(.+)$/;
const TYPING_EVERY_MS = 2_000;
const TYPING_SHOWN_MS = 4_000;

/** @param {string} id */
const at = (id) => /** @type {HTMLElement} */ (document.getElementById(id));
const text = /** @type {HTMLInputElement} */ (at('text'));

const connection = connect(`${location.origin.replace('http', 'ws')}/signalbox`);
let me = '';
let room = '';
/** @type {string[]} */
let rooms = [];
/** @type {Subscription | undefined} */
let subscription;
let typingToldAt = 0;
/** @type {Map<string, ReturnType<typeof setTimeout>>} */
const typing = new Map();

const lines = createLines({
  list: at('lines'),
  scroller: at('scroller'),
  newest: at('newest'),
  isMine: ({ from }) => from === me,
  onShown: ({ key }) => outbox.arrived(key),
});
const outbox = createOutbox({
  list: at('unsent'),
  send: ({ room: to, text: said, key }) => connection.ask('say', { room: to, text: said, key }),
  onSent: (to, /** @type {Line} */ line) => to === room && lines.add([line]),
});

function enter() {
  const name = decodeURIComponent(ROOM.exec(location.hash)?.[1] ?? (room || DEFAULT_ROOM));
  if (name === room || connection.state === 'closed') return;
  const left = subscription;
  subscription = undefined;
  left?.unsubscribe();
  room = name;
  lines.clear();
  showHere([]);
  at('room-title').textContent = room;
  document.title = `${room} · Chat`;
  showRooms();

  const entered = connection.subscribe(`room:${room}`);
  subscription = entered;
  entered.onState(showState);
  entered.on('snapshot', ({ data }) => void begin(/** @type {RoomSnapshot} */ (data)));
  entered.on('line', (/** @type {Line} */ line) => {
    stopTyping(line.from);
    lines.add([line]);
    at('empty').hidden = true;
  });
  entered.on('here', (/** @type {string[]} */ names) => showHere(names));
  showState();
}

/**
 * The room as it is: on entering, and whenever the server cannot give what was missed one by one.
 *
 * @param {RoomSnapshot} snapshot
 */
async function begin({ lines: last, here }) {
  lines.add(last);
  showHere(here);
  at('empty').hidden = lines.first() !== undefined;
  at('earlier').hidden = (lines.first() ?? 1) === 1;
  at('lines').removeAttribute('aria-busy');
  // More was said meanwhile than it has.
  for (let hole = lines.hole(); hole !== undefined; hole = lines.hole()) {
    if (!(await fetchBefore(hole))) return;
  }
}

/** @param {number} before */
async function fetchBefore(before) {
  const from = room;
  try {
    /** @type {Line[]} */
    const found = await connection.ask('history', { room: from, before });
    if (from !== room) return false;
    lines.add(found);
    at('earlier').hidden = (lines.first() ?? 1) === 1;
    return found.length > 0;
  } catch (error) {
    say(`Earlier lines did not come (${error instanceof Error ? error.message : error}).`);
    return false;
  }
}

function showState() {
  const state = connection.state === 'live' ? (subscription?.state ?? 'connecting') : connection.state;
  const error = connection.error ?? subscription?.error;
  document.body.dataset['state'] = state;
  at('state').textContent = STATES[state];
  text.disabled = state === 'closed';
  if (state !== 'closed') return;
  at('empty').hidden = true;
  if (connection.state === 'closed') {
    outbox.stop();
    const again = document.createElement('a');
    again.href = '/';
    again.textContent = 'Sign in again';
    at('state').replaceChildren(`Not connected any more (${error?.code ?? 'closed'}). `, again);
  } else {
    at('state').textContent = `You cannot enter “${room}” (${error?.code ?? 'closed'}).`;
  }
}

async function askForRooms() {
  try {
    rooms = await connection.ask('rooms');
    showRooms();
  } catch (error) {
    // It is asked again with the next connection.
    console.warn(error);
  }
}

function showRooms() {
  at('rooms').replaceChildren(
    ...rooms.map((name) => {
      const link = document.createElement('a');
      link.href = `#room/${name}`;
      link.textContent = name;
      if (name === room) link.setAttribute('aria-current', 'page');
      return itemOf(link);
    }),
  );
}

/** @param {readonly string[]} names */
function showHere(names) {
  at('here').replaceChildren(...names.map((name) => itemOf(name === me ? `${name} (you)` : name)));
}

/** @param {string | Node} content */
function itemOf(content) {
  const item = document.createElement('li');
  item.append(content);
  return item;
}

/** @param {string} sentence */
function say(sentence) {
  at('aside').textContent = sentence;
}

/** @param {string} name */
function stopTyping(name) {
  clearTimeout(typing.get(name));
  typing.delete(name);
  const names = [...typing.keys()];
  say(names.length === 0 ? '' : `${names.join(' and ')} ${names.length === 1 ? 'is' : 'are'} typing…`);
}

connection.onState((state) => {
  // Its own channel is named after it, and the server says who that is.
  me = decodeURIComponent(connection.user.channel.slice('user:'.length));
  if (state === 'live') {
    outbox.flush();
    if (rooms.length === 0) void askForRooms();
  }
  showState();
});
connection.on('typing', (/** @type {{ room: string, name: string }} */ told) => {
  if (told.room !== room || told.name === me) return;
  clearTimeout(typing.get(told.name));
  typing.set(
    told.name,
    setTimeout(() => stopTyping(told.name), TYPING_SHOWN_MS),
  );
  say(`${[...typing.keys()].join(' and ')} ${typing.size === 1 ? 'is' : 'are'} typing…`);
});
connection.on('gone', (/** @type {{ name: string }} */ { name }) => {
  stopTyping(name);
  say(`${name} has left.`);
});
connection.on('error', (error) => console.warn(error));

at('say').addEventListener('submit', (event) => {
  event.preventDefault();
  const said = text.value.trim();
  if (said === '' || text.disabled) return;
  text.value = '';
  typingToldAt = 0;
  outbox.add({ room, text: said });
  lines.toEnd();
});
text.addEventListener('input', () => {
  const now = Date.now();
  // Typing is of this moment: it waits for no connection.
  if (connection.state !== 'live' || now - typingToldAt < TYPING_EVERY_MS) return;
  typingToldAt = now;
  void connection.tell('typing', { room });
});
at('earlier').addEventListener('click', () => void fetchBefore(lines.first() ?? 1));
addEventListener('hashchange', enter);
enter();
