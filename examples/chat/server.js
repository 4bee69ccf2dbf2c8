// A chat: one program with its own pages and a Signalbox, on one port.
//
//   PORT       where it listens; default 3000
//   CHAT_DATA  the folder with what was said; default: data, beside this file
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { createSignalbox, SignalboxError } from 'signalbox';
import { createCookies } from './cookie.js';
import { openHistory } from './history.js';
import { createSite } from './site.js';

/** @import { Chat } from './contract.ts' */
/** @import { Signalbox, SignalboxOptions } from 'signalbox' */
/** @typedef {`room:${string}`} Channel */

const { PORT = '3000', CHAT_DATA = fileURLToPath(new URL('./data', import.meta.url)) } = process.env;
const ROOMS = ['lobby', 'kitchen', 'garden'];
const NAME = /^[\p{L}\p{N}][\p{L}\p{N} ._-]{0,23}$/u;
const MAX_TEXT = 1_000;

const cookies = createCookies(CHAT_DATA);
const histories = new Map(ROOMS.map((room) => [channelOf(room), openHistory(CHAT_DATA, room)]));
const server = createServer(
  createSite({
    cookies,
    refusal(user) {
      if (!NAME.test(user)) return 'A name has 1 to 24 letters, digits, spaces, dots, dashes.';
      const isTaken = signalbox.sockets.some((socket) => socket.user === user);
      return isTaken ? 'Somebody of that name is here already.' : undefined;
    },
    // Their other tabs end, and so does what their cookie was good for.
    onLogout: (user) => signalbox.boot({ user }, 'signed out'),
  }),
);

/** @type {SignalboxOptions<Chat>} */
const options = {
  server,
  // Chat alone; and who comes back is told within 5 s that nothing is missing.
  config: { superset: { protocol: 'off' }, pingSocketsIntervalMs: 5_000 },

  authenticate: (request) => cookies.read(request.cookies[cookies.name]),

  authorize: (_, channel) => isRoom(channel),

  snapshot: (_, channel) =>
    isRoom(channel) ? { lines: historyOf(channel).last(), here: here(channel) } : undefined,

  onAsk: {
    rooms: () => ROOMS,

    who: ({ room }) => here(roomOf(room)),

    history: ({ room, before }) => historyOf(roomOf(room)).last(50, before),

    // Clients may not publish: they ask, and what is said has been looked at and kept before anybody hears it.
    async say({ room, text, key }, { socket }) {
      const channel = roomOf(room);
      if (typeof text !== 'string' || typeof key !== 'string') throw new SignalboxError('bad_request');
      const said = text.trim();
      if (said === '' || said.length > MAX_TEXT || !/^[\w-]{16,64}$/.test(key)) {
        throw new SignalboxError('bad_request', `A line has 1 to ${MAX_TEXT} characters.`);
      }
      const line = historyOf(channel).add({ from: socket.user, text: said, key });
      // Asked once more, because the answer was lost, it is the same line with the same key, and goes out once.
      await signalbox.publish(channel, 'line', line, { key: `${line.n}-${key}` });
      return line;
    },
  },

  onTell: {
    // Told and not published: who is away need not hear later that somebody was typing.
    typing({ room }, { socket }) {
      return signalbox.tell({ channel: roomOf(room) }, 'typing', { room, name: socket.user });
    },
  },

  onSubscribe(socket, channel) {
    if (isRoom(channel)) tellWhoIsHere(channel);
    socket.locals['room'] = channel;
  },

  onUnsubscribe(_, channel) {
    if (isRoom(channel)) tellWhoIsHere(channel);
  },

  onDisconnect({ user, locals }) {
    const channel = String(locals['room']);
    // With another tab they are still here.
    if (!isRoom(channel) || here(channel).includes(user)) return;
    quietly(signalbox.tell({ channel }, 'gone', { name: user }));
  },
};

/** @type {Signalbox<Chat>} */
const signalbox = createSignalbox(options);

/** @param {string} room @returns {Channel} */
function channelOf(room) {
  return `room:${room}`;
}

/** @param {string} channel @returns {channel is Channel} */
function isRoom(channel) {
  return histories.has(/** @type {Channel} */ (channel));
}

/** @param {Channel} channel */
function historyOf(channel) {
  return /** @type {ReturnType<typeof openHistory>} */ (histories.get(channel));
}

/**
 * Who may enter a room may also ask about it. What clients send is typed only by their good will.
 *
 * @param {unknown} room
 */
function roomOf(room) {
  const channel = channelOf(String(room));
  if (isRoom(channel)) return channel;
  throw new SignalboxError('forbidden', 'There is no such room.');
}

/** @param {Channel} channel */
function here(channel) {
  return [...new Set(signalbox.channel(channel).sockets.map(({ user }) => user))].toSorted();
}

/** @param {Channel} channel */
function tellWhoIsHere(channel) {
  quietly(signalbox.publish(channel, 'here', here(channel)));
}

/**
 * What the next of its kind says again. It fails while the program ends, when nobody is left to hear it.
 *
 * @param {Promise<unknown>} said
 */
function quietly(said) {
  said.catch((/** @type {unknown} */ error) => console.debug(String(error)));
}

async function stop() {
  await signalbox.stop();
  server.close();
  server.closeAllConnections();
}
process.once('SIGTERM', () => void stop()).once('SIGINT', () => void stop());

await signalbox.start();
server.listen(Number(PORT), () => console.log(`The chat is at http://localhost:${PORT}/`));
