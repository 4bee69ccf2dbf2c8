import { once } from 'node:events';
import { describe, expect, test } from '@jest/globals';
import { WebSocketServer } from 'ws';
import { secret } from '../config/loading.ts';
import { configured, type Running, ran, start } from './running.ts';
import { startServer } from './server.ts';

const publish = async (url: string, ...argv: readonly string[]): Promise<string> => {
  const { exitCode, stdout, stderr } = await ran('publish', [...argv, '--url', url], { env: configured });
  expect([exitCode, stderr]).toEqual([0, '']);
  return stdout.trimEnd();
};

/** Resolves when it has told or printed this. */
const until = async (running: Running, text: string, where: 'told' | 'printed' = 'told'): Promise<void> => {
  const ended = running.exitCode.then((code) => {
    throw new Error(`it ended with ${code}: ${running.told()}`);
  });
  const comes = (async () => {
    while (!running[where]().includes(text)) await new Promise((resolve) => setImmediate(resolve));
  })();
  await Promise.race([comes, ended]);
  ended.catch(() => {});
};

const tail = (url: string, ...argv: readonly string[]): Running =>
  start('tail', [...argv, '--url', url], { env: configured });

const lines = (running: Running): unknown[] =>
  running
    .printed()
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as unknown);

describe('signalbox tail', () => {
  test('prints each event as a line, however its data was written, and ends with 0 when it is asked to', async () => {
    const { url } = await startServer();
    const running = tail(url, 'chat', 'sport');
    await until(running, `following chat, sport at ${url}\n`);
    const id = await publish(url, 'chat', '[1,\n 12345678901234567890]', '--topic', 'said');
    await publish(url, 'other', '2');
    await publish(url, 'sport', '"three"');
    await until(running, 'three', 'printed');
    expect(lines(running)).toEqual([
      expect.objectContaining({ type: 'event', channel: 'chat', topic: 'said', id }),
      expect.objectContaining({ channel: 'sport', data: 'three' }),
    ]);
    expect(running.printed()).toContain('"data":[1,  12345678901234567890]}\n');
    running.end();
    expect(await running.exitCode).toBe(0);
  });

  test('begins with the snapshot, or after --last-id', async () => {
    const { url } = await startServer();
    await publish(url, 'chat', '1');
    const id = await publish(url, 'chat', '2', '--snapshot');
    await publish(url, 'chat', '3');
    const fresh = tail(url, 'chat');
    await until(fresh, '"data":3', 'printed');
    expect(lines(fresh)).toMatchObject([
      { type: 'snapshot', data: 2 },
      { type: 'event', data: 3 },
    ]);
    const resumed = tail(url, 'chat', '--last-id', id);
    await until(resumed, '"data":3', 'printed');
    expect(lines(resumed)).toMatchObject([{ type: 'event', data: 3 }]);
  });

  test("hears a user's own channel", async () => {
    const keyed = { ...configured, SIGNALBOX_API_KEYS: 'an-api-key-of-more-than-24-characters' };
    const { url } = await startServer(keyed);
    const running = tail(url, '--user', 'bob@example.com');
    await until(running, 'following user:bob%40example.com at');
    const sent = await ran('publish', ['user:bob%40example.com', '1', '--url', url], { env: keyed });
    expect(sent).toMatchObject({ exitCode: 0 });
    await until(running, '\n', 'printed');
    expect(lines(running)).toMatchObject([{ channel: 'user:bob%40example.com', data: 1 }]);
  });

  test('takes a token from the command line, and is refused what that may not hear: 1', async () => {
    const { url } = await startServer();
    const minted = await ran('token', ['--user', '5', '--channel', 'chat'], { env: configured });
    const token = minted.stdout.trimEnd();
    const argv = ['--url', url, '--token', token];
    // No configuration is needed, and an invalid one does not matter.
    const env = { PORT: 'no port' };
    const running = start('tail', ['chat', ...argv], { env });
    await until(running, 'following user:5, chat at');
    const { exitCode, stderr } = await ran('tail', ['sport', ...argv], { env });
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining('The server refused sport: forbidden')]);
    expect(stderr).not.toContain(token);
  });

  test('is not let in with the token of another server: 1', async () => {
    const { url } = await startServer();
    const env = { ...configured, JWT_SECRET: `another-${secret}` };
    const { exitCode, stderr } = await ran('tail', ['chat', '--url', url], { env });
    expect([exitCode, stderr]).toEqual([
      1,
      expect.stringContaining('The server refused the token: 4401 unauthorized'),
    ]);
  });

  test('comes back with a new token when its own has ended, and ends with one that it was given: 1', async () => {
    const { url } = await startServer();
    // What it signs for an hour then ends in two or three seconds.
    const now = () => Date.now() - 3_597_000;
    const own = start('tail', ['chat', '--url', url], { env: configured, now });
    const minted = await ran('token', ['--user', '5', '--channel', 'chat', '--expires', '2s'], {
      env: configured,
    });
    const given = await ran('tail', ['chat', '--url', url, '--token', minted.stdout.trimEnd()]);
    expect(given).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('refused the token: 4401') });
    await until(own, 'connection lost (4401 unauthorized');
    await until(own, ` s\nfollowing chat at ${url}\n`);
  });

  test('comes back to a server that was away, and tells what is lost with its data', async () => {
    const first = await startServer();
    const running = tail(first.url, 'chat');
    await until(running, 'following');
    const id = await publish(first.url, 'chat', '"before"');
    await until(running, 'before', 'printed');
    await first.stop();
    await until(running, 'connection lost (1001 drain');
    await startServer({ ...configured, PORT: String(first.port) });
    // The embedded broker has lost its data with its process.
    await until(running, `gap in chat: what came after ${id} is lost`);
    await publish(first.url, 'chat', '"after"');
    await until(running, 'after', 'printed');
    expect(lines(running)).toMatchObject([{ data: 'before' }, { data: 'after' }]);
  });

  test('reads no more than its own reader does, and gets the rest later', async () => {
    const { url } = await startServer();
    const running = start('tail', ['chat', '--url', url], { env: configured, stdoutBytes: 200 });
    await until(running, 'following');
    for (let n = 0; n < 20; n += 1) await publish(url, 'chat', `{"n":${n},"fill":"${'x'.repeat(100)}"}`);
    // What is over the limit is one frame, and what one packet had with it.
    expect(running.stdout.readableLength).toBeLessThan(2_000);
    await until(running, '"n":19', 'printed');
    expect(lines(running)).toMatchObject(Array.from({ length: 20 }, (_, n) => ({ data: { n } })));
  });

  test('asks for more channels than may be asked for at once, and waits', async () => {
    // So few that a machine that is busy otherwise does not ask slowly enough either.
    const { url } = await startServer({ ...configured, SIGNALBOX_LIMITS_FRAMES_PER_SECOND: '4' });
    const channels = Array.from({ length: 20 }, (_, n) => `c${n}`);
    const running = tail(url, ...channels);
    await until(running, `c18, c19 at ${url}`);
    expect(running.told()).toMatch(/^waiting for c\d+: rate_limited: /);
  });

  test('ends where it asks for more than one client may have: 1', async () => {
    const { url } = await startServer({ ...configured, SIGNALBOX_MAX_SUBSCRIPTIONS_PER_SOCKET: '2' });
    const { exitCode, stderr } = await ran('tail', ['a', 'b', 'c', '--url', url], { env: configured });
    expect([exitCode, stderr]).toEqual([1, expect.stringMatching(/The server refused [bc]: too_many: /)]);
  });

  test('takes a server that falls silent for one that is gone', async () => {
    const silent = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    await once(silent, 'listening');
    silent.on('connection', (socket) => {
      socket.once('message', (hello: Buffer) => {
        const { ref } = JSON.parse(hello.toString()) as { ref: unknown };
        socket.send(JSON.stringify({ type: 'welcome', ref, pingInterval: 20, subscriptions: [] }));
      });
    });
    const { port } = silent.address() as { port: number };
    const running = tail(`http://127.0.0.1:${port}/`, 'chat');
    await until(running, 'connection lost (nothing was heard for 30 ms)');
    running.end();
    expect(await running.exitCode).toBe(0);
    for (const client of silent.clients) client.terminate();
    await new Promise((resolve) => silent.close(resolve));
  });

  test('says where there is no server, and where one is another: 1', async () => {
    const other = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: () => 'else' });
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    const argv = ['chat', '--url', `http://127.0.0.1:${port}/`];
    const refused = await ran('tail', argv, { env: configured });
    expect(refused).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('There is no signalbox.v1 at'),
    });
    for (const client of other.clients) client.terminate();
    await new Promise((resolve) => other.close(resolve));
    const { exitCode, stderr } = await ran('tail', argv, { env: configured });
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining('ECONNREFUSED')]);
  });

  test('without a secret and without a token says how to have one: 78', async () => {
    const { exitCode, stderr } = await ran('tail', ['chat']);
    expect([exitCode, stderr]).toEqual([78, expect.stringContaining('There is no jwtSecret')]);
  });

  test.each([
    [[], 'CHANNEL is missing'],
    [['a b'], "CHANNEL is 'a b'; expected 1 to 200 characters"],
    [['user:5'], "CHANNEL is 'user:5', which the server subscribes by itself; expected --user ID"],
    [['a', '--last-id', '5'], "--last-id is '5'; expected an id"],
    [['a', '--token', 'x', '--user', '5'], '--user and --token came both'],
    [['a', '--url', 'ftp://a/'], "--url is 'ftp://a/'; expected"],
  ])('%j is not understood: 64', async (argv, words) => {
    const { exitCode, stdout, stderr } = await ran('tail', argv, { env: configured });
    expect([exitCode, stdout]).toEqual([64, '']);
    expect(stderr).toContain(words);
  });

  test('does not repeat a token that is none', async () => {
    const { exitCode, stderr } = await ran('tail', ['a', '--token', `${secret}\n`]);
    expect([exitCode, stderr]).toEqual([64, expect.stringContaining('--token is a text of 41 bytes')]);
    expect(stderr).not.toContain(secret);
  });
});
