import { runInNewContext } from 'node:vm';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Browser, BrowserContext } from 'playwright-core';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { launchChromium } from './chromium.ts';
import {
  bundled,
  CLIENT_PAGE,
  hears,
  listen,
  NATIVE_SETTINGS,
  numbers,
  openListening,
  pagesOf,
  publish,
  publishSnapshot,
  publishSteadily,
  type Report,
  report,
} from './client-page.ts';
import { build, type RunningServer, startServer } from './server.ts';
import { type Site, startSite } from './site.ts';

const EVENTS = 700;
const CUTS = 6;

let server: RunningServer;
let browser: Browser;
let site: Site;
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
});

beforeEach(async () => {
  context = await browser.newContext();
  channel = `channel-${channels++}`;
});

afterEach(async () => {
  site.mend();
  await context.close();
});

afterAll(async () => {
  await browser?.close();
  site?.stop();
  await server?.stop();
});

describe('the client in a browser', () => {
  test.each(['token', 'ticket'] as const)(
    'connects with a %s, and hears what is published',
    async (credential) => {
      const page = await openListening(context, site, { client: 'alone', credential, channel });
      await publish(server.url, channel, 'one', { two: 'zwei' }, null);
      expect(await hears(page, 3)).toEqual(['one', { two: 'zwei' }, null]);
      const published = await page.evaluate<string>(`app.connection.publish('${channel}', 'said', 'here')`);
      await hears(page, 4);
      expect((await report(page)).position?.lastId).toBe(published);
    },
  );

  test('loses and doubles nothing however often the line is cut while events come', async () => {
    const before = site.opened;
    const page = await openListening(context, site, { client: 'alone', channel });
    const publishing = publishSteadily(server.url, channel, numbers(EVENTS));
    for (let cut = 1; cut <= CUTS; cut++) {
      await hears(page, (cut * EVENTS) / (CUTS + 1));
      // Back, but perhaps in the middle of what it missed: only then is there something to be cut.
      await eventually('back', async () => (await report(page)).state !== 'stale');
      site.cut();
      await eventually('stale', async () => timesStale(await report(page)) === cut);
      site.mend();
    }
    await publishing;
    await hears(page, EVENTS);
    await eventually('live', async () => (await report(page)).state === 'live');
    const { heard, gaps } = await report(page);
    expect(heard).toEqual(numbers(EVENTS));
    expect(gaps).toEqual([]);
    expect(site.opened - before).toBeGreaterThan(CUTS);
  });

  test('goes on after a reload from the position that the page has kept', async () => {
    const page = await openListening(context, site, { client: 'alone', channel });
    await publish(server.url, channel, 'before');
    await hears(page, 1);
    const { position } = await report(page);
    await page.goto('about:blank');
    await publish(server.url, channel, 'missed', 'missed too');
    await page.goto(`${site.url}/page`);
    await listen(page, { client: 'alone', channel, ...(position && { from: position }) });
    await publish(server.url, channel, 'after');
    expect(await hears(page, 3)).toEqual(['missed', 'missed too', 'after']);
  });

  test('goes on where it was when its page was left, kept, and gone back to', async () => {
    const keeping = await launchChromium({ keepsPages: true });
    try {
      const page = await openListening(await keeping.newContext(), site, { client: 'alone', channel });
      await page.evaluate("addEventListener('pageshow', ({ persisted }) => (app.isKept = persisted))");
      await publish(server.url, channel, 'before');
      await hears(page, 1);
      await page.goto(`${site.url}/empty`);
      await publish(server.url, channel, 'missed');
      await page.goBack({ waitUntil: 'commit' });
      await publish(server.url, channel, 'after');
      expect(await hears(page, 3)).toEqual(['before', 'missed', 'after']);
      expect(await page.evaluate('app.isKept')).toBe(true);
      await eventually('live', async () => (await report(page)).state === 'live');
    } finally {
      await keeping.close();
    }
  });

  test('fills a store from the snapshot of its channel, and then from events', async () => {
    await publishSnapshot(server.url, channel, ['of', 'old']);
    await publish(server.url, channel, 'later');
    const page = await openListening(context, site, { client: 'alone', channel });
    await publish(server.url, channel, 'now');
    await eventually('filled', async () => (await report(page)).list.length === 4);
    expect((await report(page)).list).toEqual(['of', 'old', 'later', 'now']);
  });

  test('has closed its WebSocket once it is closed itself', async () => {
    const page = await openListening(context, site, { client: 'alone', channel });
    await eventually('one is open', () => site.open === 1);
    await page.evaluate('app.connection.close()');
    await eventually('none is open', () => site.open === 0);
    expect(await report(page)).toMatchObject({ state: 'closed', error: undefined });
  });

  test('touches nothing of the page until it connects', async () => {
    const page = await context.newPage();
    await page.goto(`${site.url}/empty`);
    // What the language itself has may be used: classes are made of it.
    const language = runInNewContext('Object.getOwnPropertyNames(globalThis)') as string[];
    await page.evaluate(`
      globalThis.touched = new Set();
      const names = new Set();
      for (let holder = window; holder !== null; holder = Object.getPrototypeOf(holder))
        for (const name of Object.getOwnPropertyNames(holder)) names.add(name);
      for (const name of ['touched', 'globalThis', ...${JSON.stringify(language)}]) names.delete(name);
      for (const name of names) {
        if (Object.getOwnPropertyDescriptor(window, name)?.configurable === false) continue;
        const value = window[name];
        const get = () => (touched.add(name), value);
        Object.defineProperty(window, name, { get, set() { touched.add(name); }, configurable: true });
      }
      globalThis.namesBefore = Object.getOwnPropertyNames(window);
    `);
    // All of the client: the core is in it.
    const built = JSON.stringify(await bundled('client/dist/tabs.js'));
    // What drives the browser has touched things itself before, and does again with the answer.
    const imported = await page.evaluate<string[]>(`(async () => {
      const at = 'data:text/javascript,' + encodeURIComponent(${built});
      touched.clear();
      const client = await import(at);
      const names = Object.getOwnPropertyNames(window).filter((name) => !namesBefore.includes(name));
      const all = [...touched, ...names];
      globalThis.client = client;
      return all;
    })()`);
    expect(imported).toEqual(['namesBefore']);
    const connected = await page.evaluate<string[]>(`(() => {
      client.connect('${site.url.replace('http', 'ws')}').close();
      return [...touched];
    })()`);
    expect(connected).toEqual(expect.arrayContaining(['navigator', 'BroadcastChannel']));
  });
});

const timesStale = ({ states }: Report): number => states.filter((state) => state === 'stale').length;
