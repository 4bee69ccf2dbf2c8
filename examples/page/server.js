// A board of notes: one program with a page that needs nothing but the browser's own EventSource.
//
//   PORT  where it listens; default 3003
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createSignalbox } from 'signalbox';

/** @import { IncomingMessage, ServerResponse } from 'node:http' */
/** @typedef {{ readonly n: number, readonly from: string, readonly text: string, readonly at: number }} Note */

const { PORT = '3003' } = process.env;
const CHANNEL = 'board';
const MAX_TEXT = 300;
const MAX_BODY = 4_000;
const KEPT = 50;
const TYPES = { html: 'text/html', js: 'text/javascript', css: 'text/css', svg: 'image/svg+xml' };

/** In the place of your database. @type {Note[]} */
const notes = [];
/** Who has which cookie. A restart signs everybody out. @type {Map<string, string>} */
const sessions = new Map();

const userOf = (/** @type {IncomingMessage} */ { headers }) =>
  sessions.get(/(?:^|; )board=([\w-]+)/.exec(headers.cookie ?? '')?.[1] ?? '');

const server = createServer((request, response) => {
  answer(request, response).catch((error) => {
    console.error(error);
    end(response, 500);
  });
});

const signalbox = createSignalbox({
  server,
  config: { superset: { protocol: 'off' } },
  authenticate({ cookies }) {
    const user = sessions.get(cookies['board'] ?? '');
    return user === undefined ? undefined : { user, channels: [CHANNEL] };
  },
  // What a page without a position begins with; what was posted after it follows as events.
  snapshot: (_, channel) => (channel === CHANNEL ? notes : undefined),
});

/** @param {IncomingMessage} request @param {ServerResponse} response */
async function answer(request, response) {
  const { method, url = '/' } = request;
  const user = userOf(request);
  const file = /^\/([a-z]+)\.(js|css|svg)$/.exec(url);
  if (method === 'POST' && url === '/login') await login(request, response);
  else if (method === 'POST' && url === '/notes') await post(request, response, user);
  else if (method !== 'GET') end(response, 405);
  else if (url === '/') await send(response, user === undefined ? 'login.html' : 'board.html');
  else if (file !== null) await send(response, url.slice(1));
  else end(response, 404);
}

/** @param {IncomingMessage} request @param {ServerResponse} response */
async function login(request, response) {
  const user = (new URLSearchParams(await bodyOf(request)).get('name') ?? '').trim();
  if (!/^[\p{L}\p{N}][\p{L}\p{N} ._-]{0,23}$/u.test(user)) return end(response, 400, {}, 'No such name.\n');
  const session = randomUUID();
  sessions.set(session, user);
  // Scripts cannot read it, other sites' forms do not send it. Behind TLS add: Secure.
  end(response, 303, { location: '/', 'set-cookie': `board=${session}; HttpOnly; SameSite=Lax; Path=/` });
}

/** @param {IncomingMessage} request @param {ServerResponse} response @param {string | undefined} user */
async function post(request, response, user) {
  if (user === undefined) return end(response, 401);
  const text = (await bodyOf(request)).trim();
  if (text === '' || text.length > MAX_TEXT) return end(response, 400);
  const note = { n: (notes.at(-1)?.n ?? 0) + 1, from: user, text, at: Date.now() };
  // The state is changed first, and then published: who comes in between has it in the snapshot.
  notes.push(note);
  notes.splice(0, notes.length - KEPT);
  await signalbox.publish(CHANNEL, 'note', note);
  end(response, 201);
}

/** @param {IncomingMessage} request */
async function bodyOf(request) {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) {
    text += chunk;
    if (text.length > MAX_BODY) throw new Error('a body that is too large');
  }
  return text;
}

/** @param {ServerResponse} response @param {string} name */
async function send(response, name) {
  const body = await readFile(new URL(`page/${name}`, import.meta.url), 'utf8').catch(() => undefined);
  if (body === undefined) return end(response, 404);
  const type = TYPES[/** @type {keyof typeof TYPES} */ (name.split('.').at(-1))];
  end(response, 200, { 'content-type': `${type}; charset=utf-8`, 'cache-control': 'no-store' }, body);
}

/** @param {ServerResponse} response @param {number} status @param {Record<string, string>} [headers] @param {string} [body] */
function end(response, status, headers = {}, body = `${status}\n`) {
  response.writeHead(status, { 'x-content-type-options': 'nosniff', ...headers }).end(body);
}

async function stop() {
  await signalbox.stop();
  server.close();
  server.closeAllConnections();
}
process.once('SIGTERM', () => void stop()).once('SIGINT', () => void stop());

await signalbox.start();
server.listen(Number(PORT), () => console.log(`The board is at http://localhost:${PORT}/`));
