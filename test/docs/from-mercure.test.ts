import { once } from 'node:events';
import * as http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { EventSource } from 'eventsource';
import jwt from 'jsonwebtoken';
import type { Signalbox } from '../../src/index.ts';
import { heard } from '../library/program.ts';
import { claimsOf, testNames } from './claims.ts';
import { blocks, pageAt, rowsBelow } from './pages.ts';
import { programBelow, Stage } from './programs.ts';

const page = pageAt('docs/from-mercure.md');
const BOOK = 'https://example.com/books/1';
const INBOX = 'https://example.com/users/42/inbox';

let stage: Stage;

beforeEach(() => {
  stage = new Stage({ 'node:http': http, jsonwebtoken: jwt });
});

afterEach(() => stage.end());

/** Where a program's server is. */
async function listening(server: http.Server): Promise<string> {
  stage.onEnd(() => {
    server.closeAllConnections();
    server.close();
  });
  if (!server.listening) await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

interface Running {
  readonly server: http.Server;
  readonly signalbox: Signalbox;
}

/** The program of a section, and where it is. */
async function run(heading: string): Promise<{ signalbox: Signalbox; url: string }> {
  const names = ['server', 'signalbox'] as const;
  const running = {
    ...(await stage.run<Running & Record<string, unknown>>(programBelow(page, heading), names)),
  };
  return { signalbox: running.signalbox, url: await listening(running.server) };
}

/** As a browser of this user, whose page is of the same site, asks. */
const ofUser = { cookie: 'session=a1b2c3', 'sec-fetch-site': 'same-origin' };

/** The browser's own, with its cookie, whose example.com is where the program is. */
function browser(url: string) {
  return class extends EventSource {
    constructor(of: URL) {
      super(new URL(of.pathname + of.search, url), {
        fetch: (target, init) => fetch(target, { ...init, headers: { ...init.headers, ...ofUser } }),
      });
      stage.onEnd(() => this.close());
    }
  };
}

/** Runs a block of curl: what it would send, sent to where the program is. */
function curl(block: string, url: string, variables: Readonly<Record<string, string>>): Promise<Response> {
  const text = block.replaceAll(/\$(\w+)/g, (_, name: string) => variables[name] ?? '');
  const { pathname } = new URL(/https:\S+/.exec(text)?.[0] ?? '');
  const headers = [...text.matchAll(/-H "(.*?): (.*?)"/g)].map(
    ([, name = '', value = '']): [string, string] => [name, value],
  );
  const parts = [...text.matchAll(/(-d|--data-urlencode) (?:'(.*?)'|(\S+))/g)].map(
    ([, how, quoted, bare = '']) => {
      const [name = '', ...rest] = (quoted ?? bare).split('=');
      return how === '-d' ? (quoted ?? bare) : `${name}=${encodeURIComponent(rest.join('='))}`;
    },
  );
  // As curl has it where nothing else is said.
  const type: [string, string] = ['content-type', 'application/x-www-form-urlencoded'];
  return fetch(url + pathname, {
    method: 'POST',
    headers: Object.fromEntries([type, ...headers].map(([name, value]) => [name.toLowerCase(), value])),
    body: parts.join('&'),
  });
}

const [curlBefore = '', curlAfter = ''] = blocks(page, 'sh');
const [, pageAfter = ''] = blocks(page, 'js');
const apiKey = /apiKeys: \['(.*)'\]/.exec(page)?.[1] ?? '';

describe('docs/from-mercure.md', () => {
  test('names a test in each of its rows, and each of these exists', () => {
    const claims = claimsOf(page);
    const tables = ['What there is of it here', 'What was missed', 'What is not there'];
    expect(claims).toHaveLength(tables.flatMap((heading) => rowsBelow(page, heading).slice(1)).length);
    expect(claims.filter(({ file, name }) => !testNames(file).has(name))).toEqual([]);
  });

  test('The server, who publishes, and the page, which hears it and a gap', async () => {
    const { signalbox, url } = await run('The server');
    const shown = heard((resolve) => {
      const given = { EventSource: browser(url), show: resolve, fetchAgain() {} };
      void stage.run(pageAfter, [], given);
    });
    await heard(signalbox.onSocket);
    const answer = await curl(curlAfter, url, { API_KEY: apiKey });
    expect(answer.status).toBe(201);
    expect(await shown).toEqual({ status: 'checked out' });
    expect((await curl(curlAfter, url, { API_KEY: 'another-key-which-is-not-one' })).status).toBe(401);
    // A position of what was lost, as a browser has it that comes back.
    const back = pageAfter.replace(
      'const source',
      "url.searchParams.set('lastEventId', 'lost.1-0');\nconst source",
    );
    await heard((resolve) => {
      void stage.run(back, [], {
        EventSource: browser(url),
        show() {},
        fetchAgain: () => resolve(undefined),
      });
    });
  });

  describe('Publishers that stay as they are', () => {
    const secret = /const secret = '(.*)'/.exec(page)?.[1] ?? '';
    const tokenFor = (publish: readonly string[]): string => jwt.sign({ mercure: { publish } }, secret);

    test('are heard, and answered as by the hub', async () => {
      const { signalbox, url } = await run('Publishers that stay as they are');
      const source = new EventSource(`${url}/signalbox/events?channel=${BOOK}`, {
        fetch: (target, init) =>
          fetch(target, { ...init, headers: { ...init.headers, authorization: 'Bearer ann' } }),
      });
      stage.onEnd(() => source.close());
      await heard(signalbox.onSocket);
      const message = heard<MessageEvent>((resolve) =>
        source.addEventListener('message', resolve, { once: true }),
      );
      const answer = await curl(curlBefore, url, { PUBLISHER_JWT: tokenFor([BOOK]) });
      const { data, lastEventId } = await message;
      expect(JSON.parse(data)).toEqual({ status: 'checked out' });
      expect([answer.status, lastEventId.split('.')[1]]).toEqual([200, await answer.text()]);
      const text = heard<MessageEvent>((resolve) => source.addEventListener('note', resolve));
      const form = new URLSearchParams({ topic: BOOK, data: 'no JSON', type: 'note' });
      const headers = { authorization: `Bearer ${tokenFor(['*'])}` };
      await fetch(`${url}/.well-known/mercure`, { method: 'POST', headers, body: form });
      expect(JSON.parse((await text).data)).toBe('no JSON');
    });

    test('are refused without a token, with one of others, and for other topics', async () => {
      const { url } = await run('Publishers that stay as they are');
      const statusFor = async (token: string) =>
        (await curl(curlBefore, url, { PUBLISHER_JWT: token })).status;
      expect(await statusFor('')).toBe(401);
      expect(await statusFor(jwt.sign({ mercure: { publish: ['*'] } }, 'another secret'))).toBe(401);
      expect(await statusFor(tokenFor([INBOX]))).toBe(403);
    });
  });

  const open = (url: string, channel: string, headers: Record<string, string> = {}): Promise<Response> => {
    const controller = new AbortController();
    stage.onEnd(() => controller.abort());
    return fetch(`${url}/signalbox/events?channel=${encodeURIComponent(channel)}`, {
      headers: { ...ofUser, ...headers },
      signal: controller.signal,
    });
  };

  test('a topic that is a URL is the name of a channel', async () => {
    const { url } = await run('The server');
    expect((await open(url, BOOK)).status).toBe(200);
    expect((await open(url, INBOX)).status).toBe(200);
    expect((await open(url, 'https://example.com/users/43/inbox')).status).toBe(403);
    for (const rest of ['?page=2', '#top', '%20', '/x'.repeat(100)])
      expect((await open(url, BOOK + rest)).status).toBe(400);
  });

  test('a page of a listed origin may read a stream with its cookie, and one of another may not', async () => {
    const listed = 'https://app.example.com';
    const program = programBelow(page, 'The server').replace(
      'apiKeys:',
      `allowedOrigins: ['${listed}'], apiKeys:`,
    );
    const { server } = await stage.run<{ server: http.Server }>(program, ['server']);
    const url = await listening(server);
    const { status, headers } = await open(url, BOOK, { origin: listed, 'sec-fetch-site': 'cross-site' });
    expect([
      status,
      headers.get('access-control-allow-origin'),
      headers.get('access-control-allow-credentials'),
    ]).toEqual([200, listed, 'true']);
    const other = await open(url, BOOK, { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' });
    expect([other.status, other.headers.get('access-control-allow-origin')]).toEqual([403, null]);
  });

  describe('what is not there', () => {
    test('a template and a pattern are no channels: 400', async () => {
      const { url } = await run('The server');
      for (const last of ['{id}', ':id', '*', '(news|alerts)']) {
        const { status } = await open(url, `https://example.com/books/${last}`);
        // `:id` is a name like any other: nothing is matched by it.
        expect([last, status]).toEqual([last, last === ':id' ? 200 : 400]);
      }
    });

    test('a form is refused: 415', async () => {
      const { url } = await run('The server');
      const headers = { authorization: `Bearer ${apiKey}` };
      const body = new URLSearchParams({ topic: BOOK, data: '{}' });
      expect((await fetch(`${url}/signalbox/publish`, { method: 'POST', headers, body })).status).toBe(415);
    });

    test('who has two channels hears twice what is published to both', async () => {
      const { signalbox, url } = await run('The server');
      const messages: unknown[] = [];
      const two = heard((resolve) => {
        const show = (message: unknown): void => {
          messages.push(message);
          if (message === 'the last') resolve(undefined);
        };
        void stage.run(pageAfter, [], { EventSource: browser(url), show, fetchAgain() {} });
      });
      await heard(signalbox.onSocket);
      await signalbox.publishToMany([BOOK, INBOX], 'message', 'to both');
      await signalbox.publish(BOOK, 'message', 'the last');
      await two;
      expect(messages).toEqual(['to both', 'to both', 'the last']);
    });

    test('nothing is discovered: no Link, and no well-known path', async () => {
      const { url } = await run('The server');
      expect((await open(url, BOOK)).headers.get('link')).toBeNull();
      for (const path of ['mercure', 'oauth-protected-resource'])
        expect((await fetch(`${url}/signalbox/.well-known/${path}`)).status).toBe(404);
    });
  });
});
