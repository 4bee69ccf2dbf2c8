import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually } from './support/eventually.ts';
import { redisUrl, uniquePrefix } from './support/redis.ts';
import { type Signalbox, startSignalbox } from './support/signalbox.ts';

const settings = JSON.parse(readFileSync('examples/clock/signalbox.json', 'utf8')) as {
  routes: { channel: string }[];
};

describe('examples/clock', () => {
  const channel = `${uniquePrefix()}clock`;
  let publisher: ChildProcess;
  let server: Signalbox;

  beforeAll(async () => {
    const routes = settings.routes.map((route) => ({ ...route, channel }));
    server = await startSignalbox({
      REDIS_URL: redisUrl(),
      SIGNALBOX_SUPERSET_PROTOCOL: 'off',
      SIGNALBOX_NATIVE_PREFIX: `${channel}:`,
      SIGNALBOX_ROUTES: JSON.stringify(routes),
    });
    publisher = spawn(process.execPath, ['examples/clock/clock.js'], {
      env: { PATH: process.env['PATH'], REDIS_URL: redisUrl(), CHANNEL: channel },
    });
  });

  afterAll(async () => {
    publisher.kill();
    await server.stop();
  });

  test.each([
    ['/whattimeisit', 'text/event-stream', /^retry: \d+\n\n(?:data: \w{3}, .* GMT\n\n){2}/],
    ['/raw', 'text/plain', /^(?:\w{3}, [\w :]* GMT){2}/],
  ])('tells the time at %s', async (path, type, expected) => {
    const controller = new AbortController();
    const response = await fetch(server.url + path, { signal: controller.signal });
    expect([response.status, response.headers.get('content-type')]).toEqual([200, type]);
    let text = '';
    const reading = (async () => {
      for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
        text += Buffer.from(chunk).toString();
      }
    })().catch(() => {});
    // Between two messages the stream may say that it is there.
    const told = (): string => text.replaceAll(':\n\n', '');
    await eventually('two messages', () => expected.test(told()) || undefined);
    controller.abort();
    await reading;
    expect(told()).toMatch(expected);
  });
});
