import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { EventSource } from 'eventsource';
import { NativeClient, tokenWith } from '../native/client.ts';
import { Numbers } from '../native/numbers.ts';
import { type Certificates, makeCertificates } from '../support/certificates.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { type SignalboxProcess, startProcess } from '../support/process.ts';
import { redisUrl, uniquePrefix } from '../support/redis.ts';
import { NumberStream } from './number-stream.ts';
import { startProxy, type Proxy, type ProxyName } from './proxy.ts';

const CHANNEL = 'numbers';

let certificates: Certificates;
let prefix: string;
let numbers: Numbers;
let ending: (() => unknown)[] = [];

beforeAll(async () => {
  certificates = await makeCertificates();
});

afterEach(async () => {
  for (const end of ending.toReversed()) await end();
  ending = [];
});

async function start(port = 0): Promise<SignalboxProcess> {
  const signalbox = await startProcess({
    PORT: String(port),
    REDIS_URL: redisUrl(),
    SIGNALBOX_SUPERSET_PROTOCOL: 'off',
    SIGNALBOX_NATIVE_PREFIX: prefix,
    SIGNALBOX_DRAIN_MS: '500',
  });
  ending.push(() => signalbox.end('SIGKILL'));
  return signalbox;
}

async function startBehind(
  name: ProxyName,
  ports: readonly number[] = [0],
): Promise<{ readonly proxy: Proxy; readonly servers: readonly SignalboxProcess[] }> {
  prefix = `${uniquePrefix()}own:`;
  numbers = new Numbers(prefix);
  ending.push(() => numbers.close());
  const servers = await Promise.all(ports.map((port) => start(port)));
  const proxy = await startProxy(
    name,
    servers.map(({ port }) => port),
    certificates,
  );
  ending.push(() => proxy.stop());
  return { proxy, servers };
}

const urlOf = ({ port }: Proxy): string => `http://127.0.0.1:${port}`;

async function openStream(proxy: Proxy): Promise<NumberStream> {
  const stream = new NumberStream({ url: urlOf(proxy), channel: CHANNEL });
  ending.push(() => stream.leave());
  await stream.opens();
  expect([stream.status, stream.headers['content-type']]).toEqual([200, 'text/event-stream']);
  return stream;
}

/** A browser's EventSource, of numbers; what it heard. */
function openSource(proxy: Proxy): { readonly source: EventSource; readonly heard: number[] } {
  const source = new EventSource(`${urlOf(proxy)}/events?channel=${CHANNEL}`, {
    fetch: (url, init) =>
      fetch(url, { ...init, headers: { ...init.headers, authorization: `Bearer ${tokenWith()}` } }),
  });
  ending.push(() => source.close());
  const heard: number[] = [];
  source.addEventListener('t', ({ data }) => heard.push((JSON.parse(data) as { n: number }).n));
  return { source, heard };
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, at) => at);

describe.each(['nginx', 'haproxy'] as const)('behind %s', (name) => {
  test('a stream has each event at once, alone as it is', async () => {
    const { proxy } = await startBehind(name);
    const stream = await openStream(proxy);
    for (const count of [1, 2, 3]) {
      await numbers.publish([CHANNEL]);
      // The next one is published after this one has come: nothing was waited for.
      await eventually('it has come', () => stream.heard === count);
    }
    expect(stream.faults).toEqual([]);
  });

  test('a WebSocket opens from a page of the same host and port, and hears what is published', async () => {
    const { proxy } = await startBehind(name);
    const origin = urlOf(proxy);
    const cookie = `signalbox=${tokenWith()}`;
    const client = await NativeClient.open(proxy.port, { token: '', headers: { origin, cookie } });
    ending.push(() => client.cut());
    await client.ask({ type: 'subscribe', channel: CHANNEL });
    await numbers.publish([CHANNEL], 2);
    expect(await client.hears(CHANNEL, 2)).toEqual([
      { n: 0, text: '' },
      { n: 1, text: '' },
    ]);
    const foreign = new NativeClient(proxy.port, { token: '', headers: { origin: `${origin}0`, cookie } });
    expect(await foreign.closes()).toMatchObject({ code: 4403 });
  });

  test('a stream over HTTP/2 and TLS has each event at once, and a cookie that is for TLS', async () => {
    const { proxy } = await startBehind(name);
    const origin = `https://127.0.0.1:${proxy.tlsPort}`;
    const session = connectHttp2(origin, { ca: certificates.ca });
    ending.push(() => session.destroy());
    const ask = session.request({
      ':method': 'POST',
      ':path': '/ticket',
      origin,
      'content-type': 'application/json',
      cookie: `signalbox=${tokenWith()}`,
    });
    ask.setEncoding('utf8').end('{}');
    const [answer] = (await once(ask, 'data')) as [string];
    const { ticket } = JSON.parse(answer) as { ticket: string };
    const path = `/events?channel=${CHANNEL}&ticket=${ticket}`;
    const stream = session.request({ ':path': path, origin });
    let text = '';
    stream.setEncoding('utf8').on('data', (more: string) => {
      text += more;
    });
    const [headers] = (await once(stream, 'response')) as [Record<string, unknown>];
    expect(headers[':status']).toBe(200);
    expect(String(headers['set-cookie'])).toMatch(/^signalbox-stream=.*; Secure/);
    await eventually('it is open', () => text.startsWith('retry: '));
    await numbers.publish([CHANNEL]);
    await eventually('the event', () => text.includes('data: {"n":0'));
  });

  test('an EventSource comes back by itself after its only server was away, and has missed nothing', async () => {
    const { proxy, servers } = await startBehind(name, [await freePort()]);
    const [server] = servers as [SignalboxProcess];
    const { source, heard } = openSource(proxy);
    await once(source, 'open');
    await numbers.publish([CHANNEL], 3);
    await eventually('three', () => heard.length === 3);
    expect(await server.end()).toBe(0);
    await numbers.publish([CHANNEL], 3);
    // What it is answered while nobody is there.
    const nobody = new NumberStream({ url: urlOf(proxy), channel: CHANNEL });
    await eventually('an answer', () => nobody.hasEnded);
    expect(nobody).toMatchObject({ status: 200, retryMs: 3_000, heard: 0, faults: [] });
    expect(source.readyState).not.toBe(source.CLOSED);
    await start(server.port);
    await eventually('all', () => heard.length === 6, 20_000);
    await numbers.publish([CHANNEL], 1);
    await eventually('the next one', () => heard.length === 7);
    expect(heard).toEqual(upTo(7));
  });

  test('an EventSource goes on at another server when its own is stopped', async () => {
    const { proxy, servers } = await startBehind(name, [0, 0]);
    // Of two, one is on each server.
    const both = [openSource(proxy), openSource(proxy)];
    await Promise.all(both.map(({ source }) => once(source, 'open')));
    await numbers.publish([CHANNEL], 3);
    await eventually('three', () => both.every(({ heard }) => heard.length === 3));
    const lost = Promise.race(both.map(({ source }) => once(source, 'error')));
    expect(await (servers[0] as SignalboxProcess).end()).toBe(0);
    await lost;
    await numbers.publish([CHANNEL], 3);
    await eventually('all', () => both.every(({ heard }) => heard.length === 6), 20_000);
    for (const { heard } of both) expect(heard).toEqual(upTo(6));
  });
});
