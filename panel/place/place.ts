import { useEffect, useState } from 'preact/hooks';
import { BASE } from './route.ts';

/** Where the page is: its address is the only place where that is kept, so that every view can be shared. */
export interface Place {
  readonly pathname: string;
  readonly search: string;
}

const listeners = new Set<(place: Place) => void>();
const here = (): Place => ({ pathname: location.pathname, search: location.search });

function tell(): void {
  const place = here();
  for (const listener of listeners) listener(place);
}

/** Goes to another view. `replace`: the way back does not lead through the one before. */
export function go(to: string, how: 'push' | 'replace' = 'push'): void {
  if (how === 'push') history.pushState(null, '', to);
  else history.replaceState(null, '', to);
  tell();
}

export function usePlace(): Place {
  const [place, setPlace] = useState(here);
  useEffect(() => {
    listeners.add(setPlace);
    return () => void listeners.delete(setPlace);
  }, []);
  return place;
}

/** The query, and a way to change a part of it; empty values leave it. */
export function useQuery(): [URLSearchParams, (change: Readonly<Record<string, string>>) => void] {
  const { search } = usePlace();
  const change = (parts: Readonly<Record<string, string>>): void => {
    const query = new URLSearchParams(location.search);
    for (const [name, value] of Object.entries(parts)) {
      if (value === '') query.delete(name);
      else query.set(name, value);
    }
    const text = query.toString();
    go(text === '' ? location.pathname : `${location.pathname}?${text}`, 'replace');
  };
  return [new URLSearchParams(search), change];
}

/** What the server answers itself below the same path. */
const SERVERS = ['/api/', '/explain', '/stately', '/assets/', '/login', '/logout'].map((path) => BASE + path);

function isOwn({ origin, pathname }: URL): boolean {
  if (origin !== location.origin) return false;
  if (pathname !== BASE && !pathname.startsWith(`${BASE}/`)) return false;
  return !SERVERS.some((path) => pathname.startsWith(path));
}

/** Lets links change the view without loading the page anew; they stay links for whoever opens them elsewhere. */
export function followLinks(): void {
  addEventListener('popstate', tell);
  document.addEventListener('click', (click) => {
    if (click.defaultPrevented || click.button !== 0) return;
    if (click.ctrlKey || click.metaKey || click.shiftKey || click.altKey) return;
    const link = click.target instanceof Element ? click.target.closest('a') : null;
    if (link === null || link.target !== '' || link.hasAttribute('download')) return;
    const url = new URL(link.href);
    if (!isOwn(url)) return;
    click.preventDefault();
    go(url.pathname + url.search);
  });
}
