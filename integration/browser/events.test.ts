import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { tokenWith } from '../native/client.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { redisUrl, uniquePrefix } from '../support/redis.ts';
import { launchChromium } from './chromium.ts';
import { NATIVE_SETTINGS, numbers, publish, publishSteadily } from './client-page.ts';
import { type Line, startLine } from './line.ts';
import { build, type RunningServer, startServer } from './server.ts';

const SCRIPT = readFileSync(new URL('./events-page.js', import.meta.url), 'utf8');
const EVENTS = 600;
const CUTS = 3;
/** An EventSource waits as long as it is told, up to 5 s after a drain, and longer after each failure. */
const BACK_MS = 25_000;
/** `readyState`. */
const [OPEN, CLOSED] = [1, 2];

interface Report {
  readonly heard: readonly unknown[];
  readonly told: readonly { readonly name: string; readonly lastEventId: string }[];
  readonly opened: number;
  readonly state: number;
}

let browser: Browser;
let settings: Readonly<Record<string, string>>;
let server: RunningServer;
let port: number;
let line: Line;
let context: BrowserContext;
let channel: string;
let channels = 0;

beforeAll(async () => {
  build();
  settings = {
    ...NATIVE_SETTINGS,
    SIGNALBOX_BROKER: 'redis',
    REDIS_URL: redisUrl(),
    SIGNALBOX_NATIVE_PREFIX: uniquePrefix(),
  };
  port = await freePort();
  [browser, server] = await Promise.all([launchChromium(), startServer(port, settings)]);
});

beforeEach(async () => {
  line = await startLine(port);
  context = await browser.newContext();
  channel = `channel-${channels++}`;
});

afterEach(async () => {
  await context.close();
  await line.stop();
});

afterAll(async () => {
  await browser?.close();
  await server?.stop();
});

describe("a page's own EventSource", () => {
  test('authenticated by a cookie that no script can read, has events by their topics', async () => {
    const page = await openPage();
    await listen(page);
    await publish(server.url, channel, 1);
    await publishTopic('goal', { by: 'Ann' });
    expect(await hears(page, 2)).toEqual([1, { by: 'Ann' }]);
    const { told } = await report(page);
    expect(told.map(({ name }) => name)).toEqual(['message', 'goal']);
    expect(await page.evaluate('document.cookie')).toBe('');
  });

  test('loses and doubles nothing however often the line is cut while events come', async () => {
    const page = await openPage();
    await listen(page);
    expect(await hearsWhileCut(page)).toEqual(numbers(EVENTS));
  });

  test('misses nothing when it is cut off before its first event', async () => {
    const page = await openPage();
    await listen(page);
    // It is open before it is told where it is.
    await eventually('it knows where it is', () => line.hasCarried('id: '));
    await report(page);
    line.cut();
    await publish(server.url, channel, 'missed');
    line.mend();
    expect(await hears(page, 1)).toEqual(['missed']);
  });

  test('that came by a ticket comes back by the cookie that it was given, to the same URL', async () => {
    const page = await openPage({ hasCookie: false });
    const minted = await fetch(`${server.url}/ticket`, {
      method: 'POST',
      headers: { authorization: `Bearer ${tokenWith()}` },
    });
    const { ticket } = (await minted.json()) as { ticket: string };
    await listen(page, `&ticket=${ticket}`);
    const [cookie, ...others] = await context.cookies(`${line.url}/events`);
    expect(others).toEqual([]);
    expect(cookie).toMatchObject({
      name: 'signalbox-stream',
      httpOnly: true,
      sameSite: 'Strict',
      path: '/events',
    });
    expect(await hearsWhileCut(page)).toEqual(numbers(EVENTS));
  });

  test('comes back by itself after its server was restarted, and has what it missed', async () => {
    const page = await openPage();
    await listen(page);
    await publish(server.url, channel, 0);
    await hears(page, 1);
    expect(await server.stop()).toBe(0);
    server = await startServer(port, settings);
    await publish(server.url, channel, 1, 2);
    expect(await hears(page, 3)).toEqual([0, 1, 2]);
    await publish(server.url, channel, 3);
    expect(await hears(page, 4)).toEqual(numbers(4));
  });

  test('goes on at another server exactly where it was', async () => {
    const other = await startServer(await freePort(), settings);
    try {
      const page = await openPage();
      await listen(page);
      const publishing = publishSteadily(server.url, channel, numbers(EVENTS));
      for (const [at, next] of [other, server, other].entries()) {
        await hears(page, (EVENTS / 4) * (at + 1));
        line.leadTo(Number(new URL(next.url).port));
        await cutOnce(page);
      }
      await publishing;
      expect(await hears(page, EVENTS)).toEqual(numbers(EVENTS));
    } finally {
      await other.stop();
    }
  });

  test('stops for good when it may not, and when its cookie is gone', async () => {
    const stranger = await openPage({ hasCookie: false });
    await begin(stranger);
    await eventually('it has given up', async () => (await report(stranger)).state === CLOSED);
    const page = await openPage();
    await listen(page);
    await context.clearCookies();
    line.cut();
    line.mend();
    await eventually('it has given up', async () => (await report(page)).state === CLOSED, BACK_MS);
    expect(await report(page)).toMatchObject({ opened: 1, heard: [] });
  });
});

/** A page of the same origin, and nothing on it. */
async function openPage({ hasCookie = true } = {}): Promise<Page> {
  if (hasCookie) {
    const cookie = { name: 'signalbox', value: tokenWith(), httpOnly: true, sameSite: 'Lax' as const };
    await context.addCookies([{ ...cookie, url: line.url }]);
  }
  const page = await context.newPage();
  await page.goto(`${line.url}/health`);
  await page.evaluate(SCRIPT);
  return page;
}

async function begin(page: Page, more = ''): Promise<void> {
  await page.evaluate(`listen('/events?channel=${channel}${more}')`);
}

async function listen(page: Page, more?: string): Promise<void> {
  await begin(page, more);
  await eventually('open', async () => (await report(page)).state === OPEN);
}

const report = (page: Page): Promise<Report> => page.evaluate<Report>('report()');

async function hears(page: Page, count: number): Promise<readonly unknown[]> {
  await eventually(`${count} events`, async () => (await report(page)).heard.length >= count, BACK_MS);
  return (await report(page)).heard;
}

/** Cuts the line, and waits until the page is back. */
async function cutOnce(page: Page): Promise<void> {
  const { opened } = await report(page);
  line.cut();
  line.mend();
  await eventually('back', async () => (await report(page)).opened > opened, BACK_MS);
}

/** What it has heard after some cuts, and events meanwhile. */
async function hearsWhileCut(page: Page): Promise<readonly unknown[]> {
  const publishing = publishSteadily(server.url, channel, numbers(EVENTS));
  for (let cut = 1; cut <= CUTS; cut++) {
    await hears(page, (EVENTS / (CUTS + 1)) * cut);
    await cutOnce(page);
  }
  await publishing;
  await hears(page, EVENTS);
  const { heard, opened, told } = await report(page);
  expect(opened).toBe(CUTS + 1);
  expect(new Set(told.map(({ lastEventId }) => lastEventId)).size).toBe(EVENTS);
  return heard;
}

async function publishTopic(topic: string, data: unknown): Promise<void> {
  const { SIGNALBOX_API_KEYS: key } = settings;
  const answer = await fetch(`${server.url}/publish`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ channel, topic, data }),
  });
  expect(answer.status).toBe(201);
}
