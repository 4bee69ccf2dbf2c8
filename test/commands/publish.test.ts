import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { secret } from '../config/loading.ts';
import { configured, ran } from './running.ts';
import { startServer } from './server.ts';

const API_KEY = 'an-api-key-of-more-than-24-characters';
const ID = /^\d+-\d+\n$/;

/** What a channel has had, as anybody reads it who may. */
const history = async (url: string, channel: string): Promise<unknown[]> => {
  const { stdout } = await ran('token', ['--user', '1', '--channel', channel], { env: configured });
  const headers = { authorization: `Bearer ${stdout.trimEnd()}` };
  const answer = await fetch(`${url}history?channel=${channel}`, { headers });
  return ((await answer.json()) as { events: unknown[] }).events;
};

describe('signalbox publish', () => {
  test('publishes with a token that is signed here, where no API key is configured, and prints the id', async () => {
    const { port, url } = await startServer();
    const env = { ...configured, PORT: String(port) };
    const { exitCode, stdout, stderr } = await ran('publish', ['chat', '{"a":1}', '--topic', 'said'], {
      env,
    });
    expect([exitCode, stdout, stderr]).toEqual([0, expect.stringMatching(ID), '']);
    const event = { channel: 'chat', topic: 'said', id: stdout.trimEnd(), data: { a: 1 } };
    expect(await history(url, 'chat')).toEqual([expect.objectContaining(event)]);
  });

  test('publishes with the first of the configured keys, also to a user', async () => {
    const keyed = { ...configured, SIGNALBOX_API_KEYS: `${API_KEY},${API_KEY}-2` };
    const { url } = await startServer(keyed);
    const { exitCode, stdout } = await ran('publish', ['user:5', '1', '--url', url], { env: keyed });
    expect([exitCode, stdout]).toEqual([0, expect.stringMatching(ID)]);
  });

  test('needs no configuration where it is given a URL and a key', async () => {
    const { url } = await startServer({ ...configured, SIGNALBOX_API_KEYS: API_KEY });
    const env = { PORT: 'no port' };
    const argv = ['chat', '1', '--url', url.replace('http:', 'ws:'), '--api-key', API_KEY];
    expect(await ran('publish', argv, { env })).toMatchObject({ exitCode: 0, stderr: '' });
  });

  test('needs no key beside a server in development mode', async () => {
    const { port } = await startServer({});
    expect(await ran('publish', ['chat', '1'], { env: { PORT: String(port) } })).toMatchObject({
      exitCode: 0,
    });
  });

  test('reads what is to be published from stdin, and leaves it as it is', async () => {
    const { url } = await startServer();
    const stdin = '{"big":12345678901234567890}\n';
    const sent = await ran('publish', ['chat', '-', '--url', url], { env: configured, stdin });
    expect(sent).toMatchObject({ exitCode: 0 });
    const { stdout } = await ran('token', ['--user', '1', '--channel', '*'], { env: configured });
    const headers = { authorization: `Bearer ${stdout.trimEnd()}` };
    const answer = await fetch(`${url}history?channel=chat`, { headers });
    expect(await answer.text()).toContain('"data":{"big":12345678901234567890}');
  });

  test('publishes null where there is no data', async () => {
    const { url } = await startServer();
    await ran('publish', ['chat', '--url', url], { env: configured });
    expect(await history(url, 'chat')).toEqual([expect.objectContaining({ topic: 'message', data: null })]);
  });

  test('publishes once with one key', async () => {
    const { url } = await startServer();
    const publishing = () => ran('publish', ['chat', '1', '--key', 'k', '--url', url], { env: configured });
    const [first, second] = [await publishing(), await publishing()];
    expect(second).toEqual(first);
    expect(await history(url, 'chat')).toHaveLength(1);
  });

  test('is refused with the words of the server: 1, and no key is repeated', async () => {
    const { url } = await startServer();
    const key = 'a-key-that-nobody-has-configured';
    const { exitCode, stdout, stderr } = await ran('publish', ['a', '1', '--url', url, '--api-key', key]);
    expect([exitCode, stdout]).toEqual([1, '']);
    expect(stderr).toContain('The server refused it with 401 unauthorized');
    expect(stderr).not.toContain(key);
  });

  test('says what to do where nothing is configured here, and there is', async () => {
    const { url } = await startServer();
    const { exitCode, stderr } = await ran('publish', ['a', '1', '--url', url]);
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining('say --api-key, or configure apiKeys')]);
  });

  test('publishes to a user with an API key only: 78 where there is none', async () => {
    const { exitCode, stderr } = await ran('publish', ['user:5', '1'], { env: configured });
    expect([exitCode, stderr]).toEqual([
      78,
      expect.stringContaining('may publish to user:5; expected --api-key'),
    ]);
  });

  test('says where nobody listens, and where no Signalbox does: 1', async () => {
    const other = createServer((_request, response) => response.writeHead(302, { location: '/' }).end());
    other.listen(0, '127.0.0.1');
    await once(other, 'listening');
    const url = `http://127.0.0.1:${(other.address() as AddressInfo).port}/`;
    const redirected = await ran('publish', ['a', '--url', url], { env: configured });
    expect(redirected).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining(`no answer from ${url}`),
    });
    other.closeAllConnections();
    await new Promise((resolve) => other.close(resolve));
    const { exitCode, stderr } = await ran('publish', ['a', '--url', url], { env: configured });
    expect([exitCode, stderr]).toEqual([
      1,
      expect.stringContaining(`There is no server at ${url.slice(0, -1)}`),
    ]);
  });

  test.each([
    [[], 'CHANNEL is missing'],
    [['a b', '1'], "CHANNEL is 'a b'; expected 1 to 200 characters"],
    [['a', '1', '2'], "Unknown argument '2'"],
    [['a', 'hello'], "DATA, 'hello', is not JSON: it is broken at position 0; expected JSON"],
    [['a', '{"n":'], 'it is broken where it ends, too early'],
    [['a', '1', '--topic', 'gap'], "--topic is 'gap'; expected"],
    [['a', '1', '--key', 'a b'], "--key is 'a b'; expected"],
    [['a', '1', '--url', 'localhost:8080'], "--url is 'localhost:8080'; expected the URL of a server"],
    [['a', '-'], 'What came from stdin is not JSON'],
  ])('%j is not understood: 64', async (argv, words) => {
    const { exitCode, stdout, stderr } = await ran('publish', argv, { env: configured });
    expect([exitCode, stdout]).toEqual([64, '']);
    expect(stderr).toContain(words);
  });

  test.each([
    [['--url', `http://user:${secret}@h/`], '--url is something with a user or a password'],
    [['--api-key', `${secret} ${secret}`], '--api-key is a text of 81 bytes'],
  ])('%# does not repeat a secret that is wrong', async (argv, words) => {
    const { exitCode, stderr } = await ran('publish', ['a', '1', ...argv], { env: configured });
    expect([exitCode, stderr]).toEqual([64, expect.stringContaining(words)]);
    expect(stderr).not.toContain(secret);
  });

  test('with port 0 asks for a URL: 64', async () => {
    const { exitCode, stderr } = await ran('publish', ['a', '1'], { env: { ...configured, PORT: '0' } });
    expect([exitCode, stderr]).toEqual([64, expect.stringContaining('expected --url')]);
  });
});
