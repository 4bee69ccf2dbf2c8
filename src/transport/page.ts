import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringifySetCookie } from 'cookie';
import type { FastifyInstance } from 'fastify';
import { route } from './http-route.ts';
import { pageOperation } from './openapi/page.ts';
import { type PageFile, pageHeaders, readPageFile } from './page-file.ts';

/** What the first page needs of the rest of the server. */
export interface PageDeps {
  /** The cookie that lets the page open its WebSocket on the demo channel. */
  token(): { readonly cookieName: string; readonly token: string };
  /** Called for each page that is served, before it connects: it wants events from now on. */
  opened(): void;
}

const PAGE_HEADERS = pageHeaders({ images: "'self'", forms: "'none'" });

/**
 * Adds `GET /` of development mode and the files it needs, one route for each. Throws when the files are not where the
 * package has them.
 */
export function addPageRoutes(app: FastifyInstance, page: PageDeps): void {
  for (const file of filesIn(publicFolder())) {
    addFile(app, file, (method) => {
      if (file.path !== '/') return {};
      if (method === 'GET') page.opened();
      return { 'Set-Cookie': pageCookie(page) };
    });
  }
}

/**
 * Adds `GET /` where there is nothing to show: that this is Signalbox and runs, and nothing about how. It has no script, and its
 * headers are those of the other page. Throws when the files are not where the package has them.
 */
export function addFrontPage(app: FastifyInstance): void {
  const folder = publicFolder();
  const icon = filesIn(folder).filter(({ path }) => path === '/favicon.svg');
  for (const file of [...filesIn(join(folder, 'front')), ...icon]) addFile(app, file, () => ({}));
}

interface RoutedFile extends PageFile {
  readonly path: string;
}

function filesIn(folder: string): RoutedFile[] {
  return readdirSync(folder).flatMap((name) => {
    const file = readPageFile(join(folder, name));
    return file === undefined ? [] : [{ path: name === 'index.html' ? '/' : `/${name}`, ...file }];
  });
}

function addFile(
  app: FastifyInstance,
  { path, contentType, body }: RoutedFile,
  more: (method: string) => Readonly<Record<string, string>>,
): void {
  app.get(path, route('open', pageOperation(path, contentType)), (request, reply) =>
    reply
      .headers({ ...PAGE_HEADERS, ...more(request.method) })
      .type(contentType)
      .send(body),
  );
}

/** No `Secure`: development mode speaks plain HTTP, on loopback only. */
function pageCookie(page: PageDeps): string {
  const { cookieName, token } = page.token();
  return stringifySetCookie({
    name: cookieName,
    value: token,
    path: '/',
    httpOnly: true,
    sameSite: 'strict',
  });
}

/** From `src/transport` and from `dist/src/transport`. */
function publicFolder(): string {
  for (const up of ['../../public', '../../../public']) {
    const folder = fileURLToPath(new URL(up, import.meta.url));
    if (existsSync(join(folder, 'index.html'))) return folder;
  }
  throw new Error('public/index.html is missing from the package');
}
