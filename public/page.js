import { createLedger } from './ledger.js';
import { createLine } from './line.js';
import { createPanel } from './panel.js';

const DROP_MS = 4000;
const ROWS_AT_MOST = 120;

const byId = (id) => document.getElementById(id);
const { body } = document;
const { channel } = body.dataset;
const ledger = createLedger();
const panel = createPanel();

/** The drop that is not accounted for yet. */
let drop;

const line = createLine({
  lastId: () => ledger.lastId,
  renew: () => fetch('/', { cache: 'no-store' }),
  onState(state, why) {
    body.dataset.state = state;
    panel.state(state, why);
    if (drop === undefined || (state !== 'replaying' && state !== 'live')) return;
    drop.backAt ??= performance.now();
    if (state === 'live') settle();
  },
  onEvent(event, replayed) {
    const isNew = ledger.record(event, replayed);
    if (drop !== undefined && replayed) {
      drop.replayed += 1;
      if (Number.isInteger(event.data?.n)) {
        drop.first ??= event.data.n;
        drop.last = event.data.n;
      }
      drop.doneAt = performance.now();
    }
    showCounts();
    showEvent(event, isNew ? (replayed ? 'replayed' : 'live') : 'duplicate');
    panel.train(Number.isInteger(event.data?.n) ? String(event.data.n) : 'msg', replayed);
  },
});

function showCounts() {
  const { counts } = ledger;
  const list = byId('counts');
  for (const [name, value] of Object.entries(counts)) {
    list.dataset[name] = String(value);
    const figure = list.querySelector(`[data-count="${name}"]`);
    if (figure === null) continue;
    figure.textContent = value.toLocaleString('en');
    const tile = figure.parentElement;
    tile.classList.toggle('wrong', tile.classList.contains('proof') && value > 0);
  }
  byId('last-id').textContent = ledger.lastId ?? 'none yet';
}

/** The account of a drop, once the first event newer than the reconnect is here. */
function settle() {
  const { missed, duplicate } = ledger.counts;
  const lost = missed - drop.before.missed;
  const twice = duplicate - drop.before.duplicate;
  const away = ((drop.backAt - drop.at) / 1000).toFixed(1);
  const exact = lost === 0 && twice === 0;
  const range = drop.first === undefined ? '' : ` (№ ${drop.first} to ${drop.last})`;
  const took = Math.max(1, Math.round((drop.doneAt ?? drop.backAt) - drop.backAt));
  const verdict = byId('verdict');
  verdict.dataset.replayed = String(drop.replayed);
  verdict.dataset.exact = String(exact);
  const word = document.createElement('b');
  word.textContent = exact ? '✓ Caught up exactly.' : '✗ Not caught up.';
  const events = drop.replayed === 1 ? '1 event was' : `${drop.replayed} events were`;
  verdict.replaceChildren(
    word,
    ` Away for ${away} s. ${events} replayed${range} within ${took} ms of coming back: ${lost} missed, ${twice} duplicate.`,
  );
  body.dataset.catchUps = String(Number(body.dataset.catchUps) + 1);
  drop = undefined;
  byId('drop').disabled = false;
}

byId('drop').addEventListener('click', () => {
  const { missed, duplicate } = ledger.counts;
  drop = { at: performance.now(), before: { missed, duplicate }, replayed: 0 };
  byId('drop').disabled = true;
  byId('verdict').textContent =
    'The line is down for four seconds. Numbers go on at the broker. Publish something now, if you like: it will be there when you are back.';
  line.cut(DROP_MS);
});

byId('publish').addEventListener('submit', (submit) => {
  submit.preventDefault();
  void publish(byId('text').value);
});

async function publish(text) {
  const said = byId('published');
  try {
    const response = await fetch('/publish', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ channel, topic: 'message', data: { text } }),
    });
    const answer = await response.json();
    // This page is one of Superset's clients, which know the event under an id of their own log.
    if (response.ok) ledger.expect(answer.supersetId ?? answer.id);
    said.textContent = response.ok ? `Published as ${answer.id}.` : `Not published: ${answer.detail}`;
    said.dataset.id = response.ok ? answer.id : '';
  } catch {
    said.textContent = 'Not published: the server cannot be reached.';
  }
}

const held = [];
byId('hold').addEventListener('click', () => {
  const hold = byId('hold').getAttribute('aria-pressed') !== 'true';
  byId('hold').setAttribute('aria-pressed', String(hold));
  byId('hold').textContent = hold ? 'Let it run' : 'Hold the list';
  if (!hold) for (const row of held.splice(0)) showRow(row);
});

function showEvent(event, how) {
  const row = document.createElement('li');
  row.className = how;
  row.dataset.id = event.id;
  row.append(
    cell(
      'what',
      Number.isInteger(event.data?.n) ? `№ ${event.data.n}` : (event.data?.text ?? event.topic ?? 'event'),
    ),
    cell(`chip ${how}`, how),
    cell('when', timeOf(event.id)),
    cell('id', event.id),
  );
  if (byId('hold').getAttribute('aria-pressed') !== 'true') showRow(row);
  else if (held.push(row) > ROWS_AT_MOST) held.shift();
}

function showRow(row) {
  byId('empty').hidden = true;
  byId('events').prepend(row);
  if (byId('events').childElementCount > ROWS_AT_MOST) byId('events').lastElementChild.remove();
}

function cell(className, text) {
  const span = document.createElement('span');
  span.className = className;
  span.textContent = typeof text === 'string' ? text : JSON.stringify(text);
  return span;
}

function timeOf(id) {
  const at = new Date(Number.parseInt(id, 10));
  return `${at.toLocaleTimeString('en-GB')}.${String(at.getMilliseconds()).padStart(3, '0')}`;
}

byId('curl').textContent = byId('curl').textContent.replace('http://localhost:8080', location.origin);
line.connect();
