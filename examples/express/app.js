// A shop on Express that has Signalbox on its own port, below /signalbox. What is not marked was there before.
//
//   PORT       where it listens; default 3001
//   REDIS_URL  a Redis, for ship.js and for several processes of this shop; left out: events stay in this process
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import express from 'express';
import { createSignalbox } from 'signalbox'; // new
import { ordersOf, placeOrder } from './orders.js';

/** @import { Request } from 'express' */

const { PORT = '3001' } = process.env;
const app = express();
/** @type {Map<string, string>} */
const sessions = new Map();

const userOf = (/** @type {string | undefined} */ cookies = '') =>
  sessions.get(/(?:^|; )shop=([\w-]+)/.exec(cookies)?.[1] ?? '');
const signedIn = (/** @type {Request} */ request) => userOf(request.headers.cookie);

app.use(express.json(), express.urlencoded());
app.use(express.static(fileURLToPath(new URL('./page', import.meta.url))));
// new: the client's modules, as browsers take them.
app.use('/client', express.static(fileURLToPath(new URL('.', import.meta.resolve('@signalbox/client')))));

app.post('/login', (request, response) => {
  const user = String(request.body.user ?? '');
  if (!/^[a-z]{1,20}$/.test(user)) {
    response.status(400).type('text').send('A user is called by 1 to 20 small letters.');
    return;
  }
  const session = randomUUID();
  sessions.set(session, user);
  response.cookie('shop', session, { httpOnly: true, sameSite: 'lax' }).redirect(303, '/');
});

app.get('/me', (request, response) => {
  const user = signedIn(request);
  if (user === undefined) response.sendStatus(401);
  else response.set('cache-control', 'no-store').json({ user });
});

app.post('/orders', (request, response) => {
  const user = signedIn(request);
  const item = request.body?.item;
  if (user === undefined) return void response.sendStatus(401);
  if (typeof item !== 'string' || item.trim() === '' || item.length > 100) {
    return void response.status(400).json({ error: 'An item has 1 to 100 characters.' });
  }
  const order = placeOrder(user, item.trim());
  // new: the state is changed before. The order stands, whether or not its page can be told now.
  signalbox.publish(`orders:${user}`, 'order', order).catch((error) => console.error(error));
  response.status(201).json(order);
});

const server = createServer(app); // in the place of app.listen, which makes one of its own

// new, from here on
const signalbox = createSignalbox({
  server,
  config: { superset: { protocol: 'off' } },
  authenticate({ headers }) {
    const user = userOf(headers.cookie);
    return user === undefined ? undefined : { user, channels: [`orders:${user}`] };
  },
  snapshot: ({ user }, channel) => (channel === `orders:${user}` ? ordersOf(user) : undefined),
});

async function stop() {
  await signalbox.stop();
  server.close();
  server.closeAllConnections();
}
process.once('SIGTERM', () => void stop()).once('SIGINT', () => void stop());

await signalbox.start();
server.listen(Number(PORT), () => console.log(`The shop is at http://localhost:${PORT}/`));
