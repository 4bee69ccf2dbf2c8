import { readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** @import { IncomingMessage, ServerResponse } from 'node:http' */

const PAGE = fileURLToPath(new URL('./page/', import.meta.url));
/** It has no dependencies: browsers take its modules as they are. */
const CLIENT = fileURLToPath(new URL('.', import.meta.resolve('@signalbox/client')));
const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };
const FILE = /^\/(client\/)?([\w-]+\.(?:js|css|svg))$/;
const MAX_FORM_BYTES = 1_000;

/**
 * The pages, and the form of who somebody is.
 *
 * @param {object} deps
 * @param {ReturnType<typeof import('./cookie.js').createCookies>} deps.cookies
 * @param {(user: string) => string | undefined} deps.refusal Why somebody may not have this name.
 * @param {(user: string) => Promise<unknown>} deps.onLogout
 */
export function createSite({ cookies, refusal, onLogout }) {
  const userOf = (/** @type {IncomingMessage} */ request) => {
    const texts = (request.headers.cookie ?? '').split('; ');
    const mine = texts.find((text) => text.startsWith(`${cookies.name}=`));
    return cookies.read(mine?.slice(cookies.name.length + 1))?.user;
  };

  // Scripts cannot read it, other sites' forms do not send it. Behind TLS add: Secure.
  const cookie = (/** @type {string} */ value, /** @type {number} */ seconds) =>
    `${cookies.name}=${value}; HttpOnly; SameSite=Lax; Path=/; Max-Age=${seconds}`;

  /** @param {IncomingMessage} request @param {ServerResponse} response */
  async function answer(request, response) {
    const path = new URL(request.url ?? '/', 'http://chat').pathname;
    const file = FILE.exec(path);
    if (request.method === 'POST' && path === '/login') await login(request, response);
    else if (request.method === 'POST' && path === '/logout') await logout(request, response);
    else if (request.method !== 'GET') end(response, 405);
    else if (path === '/') {
      const page = await readFile(
        join(PAGE, userOf(request) === undefined ? 'login.html' : 'chat.html'),
        'utf8',
      );
      // What it is depends on the cookie.
      end(response, 200, page, { 'content-type': TYPES['.html'], 'cache-control': 'no-store' });
    } else if (file === null) end(response, 404);
    else await send(response, join(file[1] === undefined ? PAGE : CLIENT, /** @type {string} */ (file[2])));
  }

  /** @param {IncomingMessage} request @param {ServerResponse} response */
  async function login(request, response) {
    const user = ((await formOf(request)).get('name') ?? '').normalize('NFC').trim();
    const why = refusal(user);
    if (why === undefined) {
      seeOther(response, cookie(cookies.valueFor(user), 30 * 24 * 60 * 60));
      return;
    }
    const page = await readFile(join(PAGE, 'login.html'), 'utf8');
    end(response, 409, page.replace('<!-- problem -->', why), { 'content-type': TYPES['.html'] });
  }

  /** @param {IncomingMessage} request @param {ServerResponse} response */
  async function logout(request, response) {
    const user = userOf(request);
    if (user !== undefined) await onLogout(user);
    seeOther(response, cookie('', 0));
  }

  return (/** @type {IncomingMessage} */ request, /** @type {ServerResponse} */ response) => {
    answer(request, response).catch((error) => {
      console.error(error);
      end(response, 500);
    });
  };
}

/** @param {ServerResponse} response @param {string} setCookie */
function seeOther(response, setCookie) {
  end(response, 303, '', { location: '/', 'set-cookie': setCookie });
}

/** @param {ServerResponse} response @param {string} path */
async function send(response, path) {
  try {
    const type = Object.entries(TYPES).find(([extension]) => extension === extname(path))?.[1];
    end(response, 200, await readFile(path, 'utf8'), { 'content-type': type ?? '' });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    end(response, 404);
  }
}

/** @param {ServerResponse} response @param {number} status @param {string} [body] @param {Record<string, string>} [headers] */
function end(response, status, body = `${status}\n`, headers = {}) {
  response.writeHead(status, { 'x-content-type-options': 'nosniff', ...headers }).end(body);
}

/** @param {IncomingMessage} request */
async function formOf(request) {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) {
    text += chunk;
    if (text.length > MAX_FORM_BYTES) throw new Error('a form that is too large');
  }
  return new URLSearchParams(text);
}
