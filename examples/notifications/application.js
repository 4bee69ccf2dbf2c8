import { randomBytes } from 'node:crypto';
import { text } from 'node:stream/consumers';
import jwt from 'jsonwebtoken';
import { createSignalbox } from 'signalbox';
import { reduce } from './reducer.js';

const USER = 'ada';
const CHANNEL = `user:${USER}`;
const SESSION_SECONDS = 12 * 3600;
/** After so many changes the whole list is kept as the snapshot, so that whoever comes has little to catch up. */
const CHANGES_PER_SNAPSHOT = 10;
const KEPT = 50;

const NEWS = [
  { kind: 'platform', title: '17:04 to Leeds', text: 'Now leaves from platform 5.' },
  { kind: 'delay', title: '18:30 to York', text: 'About 12 minutes late: a slow train is ahead.' },
  { kind: 'clear', title: '17:04 to Leeds', text: 'The line is clear, and it leaves on time.' },
  { kind: 'cancelled', title: '19:15 to Hull', text: 'Cancelled. Your ticket is good for the 19:45.' },
  { kind: 'delay', title: '07:52 to London', text: 'Tomorrow it leaves ten minutes earlier, at 07:42.' },
  { kind: 'platform', title: '18:30 to York', text: 'Boards at platform 2, coaches A to D only.' },
];

/** Starts Signalbox, and the application that publishes to it; answers its request handler, and Signalbox's URL. */
export async function startApplication() {
  const secret = randomBytes(32).toString('hex');
  const apiKey = randomBytes(32).toString('hex');
  const signalbox = createSignalbox({
    env: {},
    config: {
      port: 0,
      host: '127.0.0.1',
      broker: 'memory',
      jwtSecret: secret,
      apiKeys: [apiKey],
      // A page that was away knows by the next ping that it has everything.
      pingSocketsIntervalMs: 2_000,
      logLevel: 'warn',
    },
  });
  const { port } = await signalbox.start();
  const url = `http://127.0.0.1:${port}`;
  let list = [];
  let lastId;
  let added = 0;
  let changes = 0;

  async function publish(topic, data, snapshot = false) {
    const answer = await fetch(`${url}/publish`, {
      method: 'POST',
      headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({ channel: CHANNEL, topic, data, snapshot }),
    });
    if (!answer.ok) throw new Error(`not published: ${await answer.text()}`);
    lastId = (await answer.json()).id;
  }

  async function change(topic, data) {
    list = reduce(list, { topic, data }).slice(0, KEPT);
    await publish(topic, data);
    changes += 1;
    if (changes % CHANGES_PER_SNAPSHOT === 0) await publish('all', list, true);
  }

  /** One change after the other, so that `list` is always what was published up to `lastId`. */
  let turn = Promise.resolve();
  const inTurn = (act) => {
    const done = turn.then(act);
    turn = done.catch(() => {});
    return done;
  };

  const add = () =>
    inTurn(() => {
      const id = added++;
      return change('added', { id, time: Date.now(), isRead: false, ...NEWS[id % NEWS.length] });
    });
  const read = (ids) => inTurn(() => change('read', { ids }));

  for (let at = 0; at < 3; at++) await add();
  await inTurn(() => publish('all', list, true));

  const session = () =>
    jwt.sign({ aud: 'signalbox', sub: USER }, secret, { algorithm: 'HS256', expiresIn: SESSION_SECONDS });

  /** Takes what is the application's; everything else is a file of the page. */
  async function handle(request, response, next) {
    const route = `${request.method} ${request.url}`;
    try {
      if (route === 'GET /notifications') {
        const found = await inTurn(() => ({ data: list, id: lastId }));
        response.setHeader('content-type', 'application/json').end(JSON.stringify(found));
      } else if (route === 'POST /notifications') {
        await add();
        response.writeHead(204).end();
      } else if (route === 'POST /notifications/read') {
        const { ids } = JSON.parse(await text(request));
        await read(ids);
        response.writeHead(204).end();
      } else {
        // Everybody who opens the page is Ada: here an application has its login.
        if (route === 'GET /')
          response.setHeader('set-cookie', `signalbox=${session()}; Path=/; HttpOnly; SameSite=Strict`);
        next();
      }
    } catch (error) {
      next(error);
    }
  }

  return { url, handle };
}
