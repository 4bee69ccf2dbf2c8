import { connect } from '@signalbox/client';

/** @typedef {{ number: number, item: string, state: 'placed' | 'shipped' }} Order */

const STATES = {
  connecting: 'Connecting…',
  replaying: 'Connected again, getting what changed…',
  live: 'Live: changes show by themselves.',
  stale: 'The connection is lost, so this may be old. Trying again…',
  closed: 'Not connected any more. Load the page again.',
};

/** @param {string} id */
const at = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

const response = await fetch('/me');
if (response.ok) show((await response.json()).user);
else at('login').hidden = false;

/** @param {string} user */
function show(user) {
  at('shop').hidden = false;
  const connection = connect(`${location.origin.replace('http', 'ws')}/signalbox`);
  const subscription = connection.subscribe(`orders:${user}`);
  // An order that comes once more is the newer one in the place of the older.
  const orders = subscription.store(
    (all, { data }) => {
      const order = /** @type {Order} */ (data);
      return [...all.filter(({ number }) => number !== order.number), order].sort(
        (a, b) => a.number - b.number,
      );
    },
    /** @type {Order[]} */ ([]),
  );
  orders.subscribe((all) => {
    at('none').hidden = all.length > 0;
    at('orders').replaceChildren(...all.map(itemOf).reverse());
  });
  subscription.onState((state) => {
    document.body.dataset['state'] = state;
    at('state').textContent = STATES[state];
  });
}

/** @param {Order} order */
function itemOf({ number, item, state }) {
  const entry = document.createElement('li');
  const [name, mark] = [document.createElement('span'), document.createElement('b')];
  name.textContent = `${number}. ${item}`;
  mark.textContent = state === 'shipped' ? 'On its way' : 'Placed';
  entry.dataset['state'] = state;
  entry.append(name, ' ', mark);
  return entry;
}

at('order').addEventListener('submit', (event) => {
  event.preventDefault();
  void placeOrder();
});

async function placeOrder() {
  const field = /** @type {HTMLInputElement} */ (at('item'));
  at('problem').textContent = '';
  try {
    const answer = await fetch('/orders', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ item: field.value }),
    });
    if (!answer.ok) throw new Error(`the shop answered ${answer.status}`);
    field.value = '';
  } catch (error) {
    at('problem').textContent = `Not ordered: ${error instanceof Error ? error.message : error}.`;
  }
  field.focus();
}
