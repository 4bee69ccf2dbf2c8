import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { startUpgradeWall, type UpgradeWall } from '../../test/support/upgrade-wall.ts';
import { tokenWith } from '../native/client.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { launchChromium } from './chromium.ts';
import {
  bundled,
  CLIENT_PAGE,
  hears,
  NATIVE_SETTINGS,
  numbers,
  openListening,
  pagesOf,
  publishSteadily,
  report,
} from './client-page.ts';
import { build, type RunningServer, startServer } from './server.ts';
import { type Site, startSite } from './site.ts';

const EVENTS = 300;

let server: RunningServer;
let browser: Browser;
let site: Site;
let wall: UpgradeWall;
let context: BrowserContext;
let channel: string;
let channels = 0;

beforeAll(async () => {
  build();
  const port = await freePort();
  const pages = pagesOf(await bundled(CLIENT_PAGE));
  [server, browser, site] = await Promise.all([
    startServer(port, NATIVE_SETTINGS),
    launchChromium(),
    startSite(port, pages),
  ]);
  wall = await startUpgradeWall(Number(new URL(site.url).port));
});

beforeEach(async () => {
  context = await browser.newContext();
  channel = `channel-${channels++}`;
  wall.manner = 'refuses';
});

afterEach(async () => {
  await context.close();
});

afterAll(async () => {
  await browser?.close();
  await wall?.stop();
  site?.stop();
  await server?.stop();
});

/** The site, as it is seen through the wall. */
const seen = (): Site => ({ ...site, url: `http://127.0.0.1:${wall.port}` });

const publishes = (page: Page, text: string): Promise<unknown> =>
  page.evaluate(`app.connection.publish('${channel}', 'said', '${text}')`);

describe('a page that may open no WebSocket', () => {
  test('hears everything once and in order over HTTP, is cut off, and goes back when it may', async () => {
    const page = await openListening(context, seen(), { client: 'sse', channel, webSocketRetryMs: 1_000 });
    expect(site.open).toBe(0);
    const publishing = publishSteadily(server.url, channel, numbers(EVENTS));
    await hears(page, EVENTS / 3);
    wall.cut();
    await publishing;
    expect(await hears(page, EVENTS)).toEqual(numbers(EVENTS));
    await publishes(page, 'over HTTP');
    wall.manner = 'open';
    await eventually('there is a WebSocket', () => site.open === 1);
    await publishes(page, 'by a WebSocket');
    expect((await hears(page, EVENTS + 2)).slice(EVENTS)).toEqual(['over HTTP', 'by a WebSocket']);
    const { gaps, states } = await report(page);
    expect(gaps).toEqual([]);
    expect(states.filter((state) => state === 'stale').length).toBeGreaterThan(1);
  });

  test.each(['ticket', 'cookie'] as const)('is known by a %s', async (credential) => {
    await context.addCookies([
      { name: 'signalbox', value: tokenWith(), url: `http://127.0.0.1:${wall.port}`, httpOnly: true },
    ]);
    const page = await openListening(context, seen(), { client: 'sse', channel, credential });
    await publishes(page, 'hello');
    expect(await hears(page, 1)).toEqual(['hello']);
    expect(site.open).toBe(0);
  });
});
