// What app.py does, without Flask: Node alone, and a Redis client.
//
//     node app.js             then the same with signalbox before it: README.md
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { Redis } from 'ioredis';

const broker = new Redis(process.env.REDIS_URL ?? 'redis://127.0.0.1:6379/0');
const TOPICS = new Set(['sport', 'weather']);
const PREFIX = process.env.CHANNEL_PREFIX ?? 'news:';
const readers = new Set();
const latest = new Map();

const PAGE = `<!doctype html><meta charset="utf-8"><title>News</title>
<form method="post" action="/login"><button>Log in</button></form>
<form method="post" action="/news/sport"><input name="text"><button>Publish</button></form>
<ul></ul>
<script>
  new EventSource("/news/sport").onmessage = ({ data }) => {
    document.querySelector("ul").append(Object.assign(document.createElement("li"), { textContent: data }));
  };
</script>`;

function login(response) {
  const reader = randomUUID();
  readers.add(reader);
  const cookie = `reader=${reader}; HttpOnly; Path=/; SameSite=Lax`;
  response.writeHead(303, { Location: '/', 'Set-Cookie': cookie }).end();
}

/** An answer like any other, but for one header: with it Signalbox takes the reader over. */
function read(topic, response) {
  const first = latest.has(topic) ? `data: ${latest.get(topic)}\n\n` : '';
  response
    .writeHead(200, { 'Content-Type': 'text/event-stream', 'X-SSE-Channel': PREFIX + topic })
    .end(first);
}

/** Every reader has it, whichever process took him, and however many there are. */
async function publish(topic, request, response) {
  let body = '';
  for await (const chunk of request.setEncoding('utf8')) body += chunk;
  const text = new URLSearchParams(body).get('text') ?? '';
  latest.set(topic, text.trim().replace(/\s+/g, ' '));
  await broker.publish(PREFIX + topic, latest.get(topic));
  response.writeHead(303, { Location: '/' }).end();
}

async function answer(request, response) {
  const { method, url } = request;
  if (url === '/') return response.setHeader('Content-Type', 'text/html').end(PAGE);
  if (url === '/login' && method === 'POST') return login(response);
  const topic = /^\/news\/(\w+)$/.exec(url)?.[1];
  if (!TOPICS.has(topic)) return response.writeHead(404).end();
  if (!readers.has(/(?:^|; )reader=([^;]+)/.exec(request.headers.cookie)?.[1]))
    return response.writeHead(403).end();
  return method === 'POST' ? publish(topic, request, response) : read(topic, response);
}

const server = createServer((request, response) => {
  answer(request, response).catch(() => response.writeHead(500).end());
});
server.listen(Number(process.env.PORT ?? 5000), '127.0.0.1', () => {
  console.log(`Running on http://127.0.0.1:${server.address().port}`);
});
