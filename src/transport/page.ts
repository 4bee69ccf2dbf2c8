import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringifySetCookie } from 'cookie';
import type { FastifyInstance } from 'fastify';
import { route } from './http-route.ts';
import { pageOperation } from './openapi/page.ts';

/** What the first page needs of the rest of the server. */
export interface PageDeps {
  /** The cookie that lets the page open its WebSocket on the demo channel. */
  token(): { readonly cookieName: string; readonly token: string };
  /** Called for each page that is served, before it connects: it wants events from now on. */
  opened(): void;
}

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** Nothing but this server's own files, no inline script or style, and no frame around it. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const PAGE_HEADERS = {
  'Content-Security-Policy': CONTENT_SECURITY_POLICY,
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Frame-Options': 'DENY',
  'Cache-Control': 'no-store',
};

/**
 * Adds `GET /` of development mode and the files it needs, one route for each, read once: no request ever becomes a
 * file name. Throws when the files are not where the package has them.
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
 * Adds `GET /` of production mode: that this is Signalbox and runs, and nothing about how. It has no script, and its
 * headers are those of the other page. Throws when the files are not where the package has them.
 */
export function addFrontPage(app: FastifyInstance): void {
  const folder = publicFolder();
  const icon = filesIn(folder).filter(({ path }) => path === '/favicon.svg');
  for (const file of [...filesIn(join(folder, 'front')), ...icon]) addFile(app, file, () => ({}));
}

interface PageFile {
  readonly path: string;
  readonly contentType: string;
  readonly body: Buffer;
}

function filesIn(folder: string): PageFile[] {
  return readdirSync(folder).flatMap((name) => {
    const contentType = CONTENT_TYPES[extname(name)];
    if (contentType === undefined) return [];
    const path = name === 'index.html' ? '/' : `/${name}`;
    return [{ path, contentType, body: readFileSync(join(folder, name)) }];
  });
}

function addFile(
  app: FastifyInstance,
  { path, contentType, body }: PageFile,
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
