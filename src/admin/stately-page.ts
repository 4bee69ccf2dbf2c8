/**
 * Facts reach Stately's inspector by postMessage, from the page that opened it: that is how its own browser
 * adapter works. Nothing leaves this machine before the button is pressed, and only that origin is given anything.
 */
export const STATELY_SCRIPT = `const STATELY = 'https://stately.ai';
const MAX_ROWS = 500;
const rows = new Map();
const body = document.querySelector('tbody');
let inspector = null;
let connected = false;

function reread() {
  const source = new EventSource('/inspect/stately/events');
  source.onopen = () => document.querySelector('#line').textContent = 'connected';
  source.onerror = () => document.querySelector('#line').textContent = 'not connected';
  source.onmessage = ({ data }) => {
    const fact = JSON.parse(data);
    show(fact);
    if (connected) inspector.postMessage(fact, STATELY);
  };
  return source;
}
let source = reread();

function show(fact) {
  let row = rows.get(fact.sessionId);
  if (row === undefined) {
    if (fact.type !== '@xstate.actor' || rows.size >= MAX_ROWS) return;
    row = body.insertRow();
    for (let cell = 0; cell < 3; cell++) row.insertCell();
    rows.set(fact.sessionId, row);
    row.cells[0].textContent = fact.name;
  }
  if (fact.event) row.cells[2].textContent = fact.event.type;
  if (!fact.snapshot) return;
  if (fact.snapshot.status && fact.snapshot.status !== 'active') {
    row.remove();
    rows.delete(fact.sessionId);
  } else if (fact.snapshot.value !== undefined) row.cells[1].textContent = JSON.stringify(fact.snapshot.value);
}

document.querySelector('button').addEventListener('click', () => {
  connected = false;
  inspector = window.open(STATELY + '/inspect', 'xstateinspector');
});
window.addEventListener('message', (message) => {
  if (message.source !== inspector || message.origin !== STATELY) return;
  if (message.data?.type !== '@statelyai.connected') return;
  connected = true;
  // It is told from the start: every actor there is, then what happens.
  source.close();
  source = reread();
});
`;

export const STATELY_STYLE = `body { font: 14px/1.5 system-ui, sans-serif; margin: 2rem; color: #222; background: #fff; color-scheme: light dark; }
@media (prefers-color-scheme: dark) { body { color: #ddd; background: #16181d; } a { color: #8ab4f8; } }
table { border-collapse: collapse; margin-top: 1rem; }
th, td { text-align: left; padding: 0.15rem 1.5rem 0.15rem 0; border-bottom: 1px solid #ddd; }
td { font-family: ui-monospace, monospace; }
button { font: inherit; padding: 0.3rem 0.8rem; }
`;

/** Lists the actors that are shown and their states, and passes them on to Stately's inspector when asked to. */
export const STATELY_PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Signalbox: for Stately's inspector</title>
<link rel="stylesheet" href="/inspect/stately/page.css">
<h1>Actors that are shown</h1>
<p><button>Open in Stately's inspector</button> <span id="line" role="status">connecting</span></p>
<p>Which actors are shown is chosen <a href="/inspect/inspector">in the panel</a>.</p>
<table>
<thead><tr><th>actor<th>state<th>last event</tr></thead>
<tbody></tbody>
</table>
<script src="/inspect/stately/page.js"></script>
</html>
`;
