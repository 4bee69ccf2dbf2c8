import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { readUpstreamAddress } from '../src/upstream/address.ts';
import { startPair, type UpstreamPair } from '../test/support/upstream-pair.ts';
import { install } from './support/debian.ts';
import { eventually } from './support/eventually.ts';
import { redisUrl, uniquePrefix } from './support/redis.ts';

const run = promisify(execFile);
const succeeds = (command: string, ...args: string[]): Promise<boolean> =>
  run(command, args, { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } }).then(
    () => true,
    () => false,
  );
const hasFlask = (python: string): Promise<boolean> => succeeds(python, '-c', 'import flask, redis');

/** A Python that has what the example needs; Debian's packages are for Debian's own. */
async function findPython(): Promise<string | undefined> {
  for (const python of ['python3', '/usr/bin/python3']) if (await hasFlask(python)) return python;
  return undefined;
}

const python =
  (await findPython()) ??
  ((await install('python3-flask', 'python3-redis')) ? await findPython() : undefined);
if (python === undefined)
  console.warn('app.py is not tried, because there is no Flask here; app.js does the same');
const applications = [
  { file: 'app.js', command: process.execPath },
  ...(python === undefined ? [] : [{ file: 'app.py', command: python }]),
];

describe.each(applications)('examples/governed/$file', ({ file, command }) => {
  const prefix = uniquePrefix();
  let application: ChildProcess;
  let pair: UpstreamPair;
  let cookie = '';

  beforeAll(async () => {
    application = spawn(command, [`examples/governed/${file}`], {
      env: { PATH: process.env['PATH'], PORT: '0', REDIS_URL: redisUrl(), CHANNEL_PREFIX: prefix },
    });
    let output = '';
    for (const stream of [application.stdout, application.stderr]) {
      stream?.on('data', (text: Buffer) => {
        output += text.toString();
      });
    }
    const url = await eventually('it listens', () => {
      if (application.exitCode !== null) throw new Error(output);
      return /Running on (http:\/\/127\.0\.0\.1:\d+)/.exec(output)?.[1];
    });
    pair = await startPair({ raw() {} }, { address: readUpstreamAddress(url)! });
  });
  afterAll(async () => {
    await pair.close();
    const ended = once(application, 'exit');
    application.kill();
    await ended;
  });

  test('lets nobody read who has not logged in', async () => {
    expect((await pair.ask({ path: '/news/sport' })).status).toBe(403);
    expect((await pair.ask({ path: '/' })).text).toContain('new EventSource("/news/sport")');
    expect(pair.opened).toEqual([]);
  });

  test('gives a reader a stream', async () => {
    const login = await pair.ask({ method: 'POST', path: '/login' });
    expect(login).toMatchObject({ status: 303, headers: { location: '/' } });
    cookie = login.headers['set-cookie']?.[0]?.split(';', 1)[0] ?? '';
    const stream = await pair.ask({ path: '/news/sport', headers: { Cookie: cookie } });
    expect([stream.status, stream.headers['x-sse-channel']]).toEqual([200, undefined]);
    expect(pair.opened.at(-1)).toMatchObject({ channels: [`${prefix}sport`], prelude: Buffer.alloc(0) });
    expect(pair.opened.at(-1)?.contentType).toMatch(/^text\/event-stream/);
    expect((await pair.ask({ path: '/news/secrets', headers: { Cookie: cookie } })).status).toBe(404);
  });

  test('publishes to its readers, and tells the next one what was last', async () => {
    const reader = new Redis(redisUrl());
    await reader.subscribe(`${prefix}sport`);
    const heard = once(reader, 'message');
    const headers = { Cookie: cookie, 'Content-Type': 'application/x-www-form-urlencoded' };
    const body = new URLSearchParams({ text: 'Grüße:\n2 to 1' }).toString();
    expect((await pair.ask({ method: 'POST', path: '/news/sport', headers, body })).status).toBe(303);
    expect(await heard).toEqual([`${prefix}sport`, 'Grüße: 2 to 1']);
    reader.disconnect();
    await pair.ask({ path: '/news/sport', headers });
    expect(pair.opened.at(-1)?.prelude.toString()).toBe('data: Grüße: 2 to 1\n\n');
  });
});
