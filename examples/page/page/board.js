// The board, with nothing but the browser's own EventSource: it comes back by itself, says where it was, and is sent
// what it missed.

const $ = (/** @type {string} */ selector) => /** @type {HTMLElement} */ (document.querySelector(selector));
const text = /** @type {HTMLTextAreaElement} */ ($('#text'));
const form = /** @type {HTMLFormElement} */ ($('form'));
const SAID = {
  connecting: 'Connecting …',
  live: 'Live',
  stale: 'Connection lost, trying again.',
  closed: 'You are signed out. Load the page again.',
};

/** @typedef {{ n: number, from: string, text: string, at: number }} Note */

function open() {
  say('connecting');
  const source = new EventSource('/signalbox/events?channel=board');
  source.addEventListener('open', () => say('live'));
  // Any status but 200 is for good; everything else the browser tries again.
  source.addEventListener('error', () => say(source.readyState === EventSource.CLOSED ? 'closed' : 'stale'));

  // All that there is: for a page without a position, and after a gap, when something was missed that nobody has any more.
  on('snapshot', (/** @type {Note[]} */ notes) => $('#notes').replaceChildren(...notes.map(item).reverse()));
  on('note', (/** @type {Note} */ note) => show(note));

  /** @template T @param {string} topic @param {(data: T) => void} listener */
  function on(topic, listener) {
    source.addEventListener(topic, ({ data, lastEventId }) => {
      $('#position').textContent = lastEventId;
      listener(JSON.parse(data));
    });
  }
}

/** @param {Note} note */
function show(note) {
  // Posted while the snapshot was made, it may be in there already.
  if (document.getElementById(`note-${note.n}`) === null) $('#notes').prepend(item(note));
}

/** @param {Note} note */
function item({ n, from, text: said, at }) {
  const node = document.createElement('li');
  node.id = `note-${n}`;
  const [who, what, when] = ['b', 'p', 'time'].map((name) => document.createElement(name));
  if (who === undefined || what === undefined || when === undefined) throw new Error('never');
  who.textContent = from;
  what.textContent = said;
  when.textContent = new Date(at).toLocaleTimeString([], { timeStyle: 'short' });
  node.append(who, when, what);
  return node;
}

/** @param {keyof typeof SAID} state */
function say(state) {
  document.body.dataset['state'] = state;
  $('#state').textContent = SAID[state];
}

form.addEventListener('submit', (event) => {
  event.preventDefault();
  const body = text.value.trim();
  if (body !== '') void post(body);
});

/** @param {string} body */
async function post(body) {
  const response = await fetch('/notes', { method: 'POST', body }).catch(() => undefined);
  $('#problem').textContent = response?.ok === true ? '' : 'That was not posted. Try again.';
  if (response?.ok === true) text.value = '';
}

// Enter posts, with shift it is a new line.
text.addEventListener('keydown', (event) => {
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  form.requestSubmit();
});

open();
