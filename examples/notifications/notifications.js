import { connect } from '@signalbox/client';
import { reduce } from './reducer.js';

// The cookie of the page says who it is.
const connection = connect(`${location.origin.replace(/^http/, 'ws')}/signalbox`);

/**
 * The list, newest first: the snapshot of the user's channel, and what has happened since. It is a store as it is: of
 * Svelte, and what React's useSyncExternalStore takes.
 */
export const notifications = connection.user.store(reduce, [], {
  refetch: async () => (await fetch('/notifications')).json(),
});

/** What was lost, until it has been fetched; undefined: nothing. */
export const { gap } = notifications;

/** The state of the connection, as a store of the same kind. */
export const line = {
  getSnapshot: () => connection.state,
  subscribe(run) {
    run(connection.state);
    return connection.onState(run);
  },
};

/** What is said of each of its states. */
export const LINE_WORDS = {
  connecting: 'Connecting',
  replaying: 'Catching up',
  live: 'Live',
  stale: 'Offline, trying again',
  closed: 'Signed out: reload the page',
};

/** The outline of each kind's icon, on a square of 24. */
export const ICONS = {
  platform: 'M4 8h13m-4-4 4 4-4 4M20 16H7m4-4-4 4 4 4',
  delay: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18Zm0 4v5l3.5 2',
  clear: 'm5 12.5 4.5 4.5L19 7.5',
  cancelled: 'm6 6 12 12M18 6 6 18',
};

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
export const timeOf = (ms) => clock.format(ms);

export const unreadIn = (list) => list.filter(({ isRead }) => !isRead).map(({ id }) => id);

// Neither of these changes the list: what the application makes of them comes back as an event, to every tab.

export const sendOne = () => fetch('/notifications', { method: 'POST' });

export const markRead = (ids) =>
  fetch('/notifications/read', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ids }),
  });
