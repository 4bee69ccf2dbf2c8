import type { VNode } from 'preact';
import { useTheme } from '../place/theme.ts';
import { BASE, type Route } from '../place/route.ts';
import { useWatched } from '../server/overview.ts';
import { ask } from '../server/request.ts';
import { session } from '../server/session.ts';
import type { Line } from '../server/stream.ts';
import { Signal } from './signal.tsx';

const PAGES = [
  { path: BASE, name: 'Overview', pages: ['overview', 'reader'] },
  { path: `${BASE}/sockets`, name: 'Sockets', pages: ['sockets', 'socket'] },
  { path: `${BASE}/channels`, name: 'Channels', pages: ['channels', 'channel'] },
  { path: `${BASE}/log`, name: 'Live log', pages: ['log'] },
  { path: `${BASE}/why`, name: 'Why not?', pages: ['why'] },
  { path: `${BASE}/inspector`, name: 'Inspector', pages: ['inspector'] },
] as const;

const LINES: Readonly<Record<Line, string>> = {
  connecting: 'Connecting',
  live: 'Line live',
  cut: 'Line cut',
};

function LineMark(): VNode {
  const { line } = useWatched();
  const aspect = line === 'live' ? 'clear' : line === 'cut' ? 'danger' : 'caution';
  return (
    <span class="state line" data-line={line} title="Whether this page hears the server">
      <Signal aspect={aspect} />
      <span>{LINES[line]}</span>
    </span>
  );
}

async function logOut(): Promise<void> {
  await ask('/inspect/logout', { method: 'POST', body: {} }).catch(() => undefined);
  session.set('refused');
}

export function Masthead({ route }: { readonly route: Route }): VNode {
  const [theme, turn] = useTheme();
  return (
    <header class="masthead">
      <a class="brand" href={BASE}>
        <svg class="mark" viewBox="0 0 40 48" aria-hidden="true">
          <path class="mark-post" d="M20 36v9M10 46h20" />
          <rect class="mark-head" x="10" y="1" width="20" height="36" rx="10" />
          <circle class="mark-dim" cx="20" cy="11" r="5" />
          <circle class="mark-lit" cx="20" cy="26" r="6" />
        </svg>
        <span>Signalbox</span>
      </a>
      <nav aria-label="Pages">
        <ul>
          {PAGES.map(({ path, name, pages }) => (
            <li key={path}>
              <a
                href={path}
                aria-current={(pages as readonly string[]).includes(route.page) ? 'page' : undefined}
              >
                {name}
              </a>
            </li>
          ))}
        </ul>
      </nav>
      <div class="tools">
        <LineMark />
        <button type="button" class="quiet" onClick={turn}>
          <span aria-hidden="true">{theme === 'dark' ? '☾' : theme === 'light' ? '☀' : '◐'}</span>
          <span class="word">
            <span class="unseen">Colours: </span>
            {theme === 'system' ? 'as the system' : theme}
          </span>
        </button>
        <button type="button" class="quiet" onClick={() => void logOut()}>
          Log out
        </button>
      </div>
    </header>
  );
}
