import { afterEach, describe, expect, test } from '@jest/globals';
import jwt from 'jsonwebtoken';
import { claimsOf, testNames } from './claims.ts';
import { pageAt, rowsBelow } from './pages.ts';
import { programBelow, Stage } from './programs.ts';

const page = pageAt('docs/from-a-poc.md');
const FAULTS = 6;
const env = {
  APP_SECRET: 'the secret of the application, long enough',
  SOCKET_SECRET: 'the secret of the sockets, which is long too',
  API_KEY: 'a-key-of-more-than-24-characters',
};

describe('docs/from-a-poc.md', () => {
  const stage = new Stage({ jsonwebtoken: { default: jwt, __esModule: true } });

  afterEach(() => stage.end());

  test('names a test in each of its rows, and each of these exists', () => {
    const claims = claimsOf(page);
    const tables = ['What it does', 'What it wants', 'What it got wrong'];
    expect(claims).toHaveLength(tables.flatMap((heading) => rowsBelow(page, heading).slice(1)).length);
    expect(claims.filter(({ file, name }) => !testNames(file).has(name))).toEqual([]);
  });

  test('has a row for each fault', () => {
    const numbers = new Set(rowsBelow(page, 'What it got wrong').map(([cell = '']) => cell.split(' ')[0]));
    const all = Array.from({ length: FAULTS }, (_, at) => `F5.${at + 1}`);
    expect(all.filter((number) => !numbers.has(number))).toEqual([]);
  });

  test('its programs take a message, and have it when it comes and later', async () => {
    await stage.run(programBelow(page, 'The server'), [], { process: { env } });
    const url = stage.url.replace('ws:', 'http:');
    const send = (key: string, content: string): Promise<Response> =>
      fetch(`${url}/message`, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        body: JSON.stringify({ username: 'ann', content }),
      });
    expect(await (await send(env.API_KEY, 'earlier')).json()).toMatchObject({ status: 'ok' });
    expect((await send('another key', 'never')).status).toBe(401);

    // As POST /token makes them.
    const appToken = jwt.sign({ username: 'ann' }, env.APP_SECRET, { expiresIn: '30m' });
    const program = programBelow(page, 'The page')
      .replace('what POST /token has answered', appToken)
      .replace('http://localhost:8080', url);
    await stage.run(program);
    expect(stage.console).toEqual([[expect.any(Date), 'earlier']]);

    const [connection] = stage.connections as [(typeof stage.connections)[number]];
    const heard = new Promise((resolve) => void connection.user.on('message', resolve));
    const live = new Promise<void>((resolve) => {
      connection.onState((state) => state === 'live' && resolve());
      if (connection.state === 'live') resolve();
    });
    await live;
    await send(env.API_KEY, 'hello');
    expect(await heard).toBe('hello');
    expect(stage.console).toHaveLength(2);
  });
});
