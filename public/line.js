/**
 * The page's connection: one WebSocket at a time, and what is made of its coming and going. States are those of
 * the server's own actors, as far as they can be seen from here: connecting, replaying, live, stale.
 */

/** The demo sends five events a second, so three seconds of silence mean something and ten that the line is dead. */
const QUIET_MS = 3000;
const DEAD_MS = 10_000;
/** A replay that brings nothing, on a channel where nothing happens, ends here. */
const NOTHING_TO_REPLAY_MS = 1500;
const RETRY_MS = 500;
const RETRY_MAX_MS = 5000;

/**
 * `lastId()` is asked at each connection. `renew()` fetches a new cookie, for a server that was restarted knows no
 * old one. `onState(state, why)` and `onEvent(event, replayed)` are told in the order in which it happened.
 */
export function createLine({ lastId, renew, onState, onEvent }) {
  let socket;
  let state;
  let timer;
  let settling;
  let attempts = 0;
  let heardAt = 0;

  function enter(next, why = '') {
    if (state === next) return;
    state = next;
    onState(next, why);
  }

  function connect() {
    const resumeFrom = lastId();
    const url = new URL('/', location.href);
    url.protocol = url.protocol.replace('http', 'ws');
    if (resumeFrom !== undefined) url.searchParams.set('last_id', resumeFrom);
    const opening = new WebSocket(url);
    let openedAt;
    socket = opening;
    enter('connecting');
    opening.addEventListener('open', () => {
      if (socket !== opening) return;
      openedAt = Date.now();
      heardAt = performance.now();
      attempts = 0;
      enter(resumeFrom === undefined ? 'live' : 'replaying');
      settling = setTimeout(() => enter('live'), NOTHING_TO_REPLAY_MS);
    });
    opening.addEventListener('message', ({ data }) => {
      // What a cut line still delivers was not received.
      if (socket !== opening) return;
      heardAt = performance.now();
      clearTimeout(settling);
      const event = JSON.parse(data);
      const replayed = resumeFrom !== undefined && Number.parseInt(event.id, 10) < openedAt;
      onEvent(event, replayed);
      enter(replayed ? 'replaying' : 'live');
    });
    opening.addEventListener('close', () => {
      if (socket === opening) retry('The server closed the line or cannot be reached. Trying again.');
    });
  }

  function hangUp() {
    const closing = socket;
    socket = undefined;
    clearTimeout(settling);
    clearTimeout(timer);
    closing?.close();
  }

  function retry(why) {
    hangUp();
    enter('stale', why);
    const delay = Math.min(RETRY_MS * 2 ** attempts, RETRY_MAX_MS) * (0.5 + Math.random());
    attempts += 1;
    timer = setTimeout(() => renew().then(connect, connect), delay);
  }

  setInterval(() => {
    const silence = performance.now() - heardAt;
    if (socket?.readyState !== WebSocket.OPEN) return;
    if (silence > DEAD_MS) retry('Nothing was heard for ten seconds. Connecting anew.');
    else if (silence > QUIET_MS) enter('stale', 'Nothing was heard for three seconds.');
  }, 1000);

  return {
    connect,
    /** Cuts the line from this side, and comes back after `ms`. */
    cut(ms) {
      hangUp();
      enter('stale', 'You dropped the line.');
      timer = setTimeout(connect, ms);
    },
  };
}
