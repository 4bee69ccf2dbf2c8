/** Where the panel is served; the router of pages knows nothing outside. */
export const BASE = '/inspect';

export type Route =
  | { readonly page: 'overview' | 'sockets' | 'channels' | 'log' | 'why' | 'inspector' | 'unknown' }
  | { readonly page: 'socket'; readonly id: string }
  | { readonly page: 'channel'; readonly feed: string; readonly name: string }
  | { readonly page: 'reader'; readonly id: string };

function decode(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}

/** Which page a path is; one that cannot be read is `unknown`, never an error. */
export function routeOf(pathname: string): Route {
  if (pathname !== BASE && !pathname.startsWith(`${BASE}/`)) return { page: 'unknown' };
  const parts = pathname
    .slice(BASE.length)
    .split('/')
    .filter((part) => part !== '')
    .map(decode);
  if (parts.includes(undefined)) return { page: 'unknown' };
  const [page, first, second] = parts;
  if (page === undefined) return { page: 'overview' };
  if (parts.length === 1) {
    if (page === 'sockets' || page === 'channels' || page === 'log' || page === 'why' || page === 'inspector')
      return { page };
    return { page: 'unknown' };
  }
  if (page === 'sockets' && parts.length === 2 && first !== undefined) return { page: 'socket', id: first };
  if (page === 'readers' && parts.length === 2 && first !== undefined) return { page: 'reader', id: first };
  if (page === 'channels' && parts.length === 3 && first !== undefined && second !== undefined)
    return { page: 'channel', feed: first, name: second };
  return { page: 'unknown' };
}

const at = (...parts: readonly string[]): string => [BASE, ...parts.map(encodeURIComponent)].join('/');

export const socketPath = (id: string): string => at('sockets', id);
export const channelPath = (feed: string, name: string): string => at('channels', feed, name);
export const readerPath = (id: string): string => at('readers', id);
/** A path with a query, whose empty values are left out. */
export function pathWith(page: string, query: Readonly<Record<string, string | undefined>> = {}): string {
  const given = Object.entries(query).filter((entry): entry is [string, string] => Boolean(entry[1]));
  return given.length === 0 ? at(page) : `${at(page)}?${new URLSearchParams(given)}`;
}
