import { useSyncExternalStore } from 'react';
import {
  gap,
  ICONS,
  LINE_WORDS,
  line,
  markRead,
  notifications,
  sendOne,
  timeOf,
  unreadIn,
} from '../notifications/notifications.js';

const useStore = ({ subscribe, getSnapshot }) => useSyncExternalStore(subscribe, getSnapshot);

export function App() {
  const list = useStore(notifications);
  const state = useStore(line);
  const isMissing = useStore(gap) !== undefined;
  const unread = unreadIn(list);
  return (
    <main>
      <header>
        <h1>Notifications {unread.length > 0 && <span className="count">{unread.length}</span>}</h1>
        <p className="line" data-state={state} role="status">
          {LINE_WORDS[state]}
        </p>
      </header>

      {isMissing && (
        <p className="gap" role="alert">
          Some may be missing. They are being fetched.
        </p>
      )}

      <div className="actions">
        <button type="button" className="primary" onClick={sendOne}>
          Send me one
        </button>
        <button type="button" disabled={unread.length === 0} onClick={() => markRead(unread)}>
          Mark all as read
        </button>
      </div>

      <ol aria-live="polite">
        {list.map((one) => (
          <Notification key={one.id} {...one} />
        ))}
        {list.length === 0 && <li className="empty">Nothing yet.</li>}
      </ol>
    </main>
  );
}

function Notification({ id, kind, title, text, time, isRead }) {
  return (
    <li className={isRead ? undefined : 'unread'} data-id={id} data-kind={kind}>
      <svg viewBox="0 0 24 24" aria-hidden="true">
        <path d={ICONS[kind]} />
      </svg>
      <div>
        <h2>{title}</h2>
        <p>{text}</p>
      </div>
      <time dateTime={new Date(time).toISOString()}>{timeOf(time)}</time>
      {!isRead && (
        <button type="button" aria-label="Mark as read" title="Mark as read" onClick={() => markRead([id])} />
      )}
    </li>
  );
}
