import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Browser, BrowserContext, Page } from 'playwright-core';
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
  publish,
  publishSnapshot,
  publishSteadily,
  report,
} from './client-page.ts';
import { build, type RunningServer, startServer } from './server.ts';
import { type Site, startSite } from './site.ts';

const EVENTS = 600;
/** One and a half ping intervals, and as long as a leader has to answer. */
const TAKEN_OVER_MS = 20_000;
const ENDS = ['is closed', 'goes elsewhere', 'crashes'] as const;

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
  await eventually('no WebSocket is left', () => site.open === 0);
});

afterAll(async () => {
  await browser?.close();
  site?.stop();
  await server?.stop();
});

describe('tabs of one origin', () => {
  test('share one WebSocket, and each hears everything', async () => {
    const before = { opened: site.opened, tickets: tickets() };
    const tabs = await openTabs(3);
    await publish(server.url, channel, ...numbers(10));
    for (const tab of tabs) expect(await hears(tab, 10)).toEqual(numbers(10));
    expect(site.open).toBe(1);
    expect(site.opened - before.opened).toBe(1);
    expect(tickets() - before.tickets).toBe(1);
  });

  test('publish through it, and hear each other', async () => {
    const tabs = await openTabs(2);
    for (const [at, tab] of tabs.entries())
      await tab.evaluate(`app.connection.publish('${channel}', 'said', 'by ${at}')`);
    for (const tab of tabs) expect(await hears(tab, 2)).toEqual(['by 0', 'by 1']);
    expect(site.open).toBe(1);
  });

  test.each(ENDS)(
    'hear everything once, in order, when the one that leads %s while events come',
    async (end) => {
      const tabs = await openTabs(3);
      for (const half of [0, 1]) {
        const events = numbers(EVENTS).slice((half * EVENTS) / 2, ((half + 1) * EVENTS) / 2);
        const publishing = publishSteadily(server.url, channel, events);
        const [leader, next] = tabs as [Page, Page];
        await hears(next, (half * EVENTS) / 2 + EVENTS / 4);
        await leave(leader, end);
        tabs.shift();
        // Who comes later is not in the way of who takes over; it is there before the second half.
        if (half === 0) tabs.push(await openTab());
        await publishing;
      }
      const [second, late] = tabs as [Page, Page];
      expect(await hears(second, EVENTS)).toEqual(numbers(EVENTS));
      // It hears what came after it: to the end, from somewhere on.
      await eventually('the last', async () => (await report(late)).heard.at(-1) === EVENTS - 1);
      const { heard } = await report(late);
      expect(heard).toEqual(numbers(EVENTS).slice(-heard.length));
      for (const tab of tabs) expect((await report(tab)).gaps).toEqual([]);
      expect(site.open).toBe(1);
    },
  );

  test('hear everything once, in order, while the one that leads does not run, and so does that when it runs again', async () => {
    const tabs = await openTabs(6);
    const [leader, ...others] = tabs as [Page, ...Page[]];
    await publish(server.url, channel, ...numbers(10));
    for (const tab of tabs) await hears(tab, 10);
    const before = site.opened;
    const release = await hold(leader);
    await publishSteadily(server.url, channel, numbers(EVENTS).slice(10));
    for (const tab of others)
      await eventually('all', async () => (await report(tab)).heard.length === EVENTS, TAKEN_OVER_MS);
    expect(site.opened).toBeGreaterThan(before);
    await release();
    for (const tab of tabs) expect(await hears(tab, EVENTS)).toEqual(numbers(EVENTS));
    await eventually('one WebSocket', () => site.open === 1);
    for (const tab of tabs) expect((await report(tab)).gaps).toEqual([]);
  });

  test('are all caught up when the line was cut', async () => {
    const tabs = await openTabs(2);
    await publish(server.url, channel, 'before');
    for (const tab of tabs) await hears(tab, 1);
    site.cut();
    for (const tab of tabs) await inState(tab, 'stale');
    await publish(server.url, channel, 'meanwhile');
    site.mend();
    for (const tab of tabs) expect(await hears(tab, 2)).toEqual(['before', 'meanwhile']);
    for (const tab of tabs) await inState(tab, 'live');
    expect(site.open).toBe(1);
  });

  test('that are opened later fill their stores from the snapshot', async () => {
    await publishSnapshot(server.url, channel, ['old']);
    const first = await openTab();
    await publish(server.url, channel, 'new');
    await hears(first, 1);
    const second = await openTab();
    for (const tab of [first, second])
      await eventually('filled', async () => (await report(tab)).list.join() === 'old,new');
    expect(site.open).toBe(1);
  });

  test('have a WebSocket each with names that differ', async () => {
    await openTab({ name: 'ada' });
    await openTab({ name: 'bob' });
    expect(site.open).toBe(2);
  });
});

describe('where tabs cannot share, each has a WebSocket of its own', () => {
  test.each([
    ['there are no locks', 'delete Navigator.prototype.locks'],
    ['there is no BroadcastChannel', 'delete globalThis.BroadcastChannel'],
    [
      'locks are refused',
      "navigator.locks.request = async () => { throw new DOMException('denied', 'SecurityError'); }",
    ],
    [
      'a BroadcastChannel is refused',
      "globalThis.BroadcastChannel = class { constructor() { throw new DOMException('denied', 'SecurityError'); } }",
    ],
  ])('%s', async (_, before) => {
    await context.addInitScript(before);
    const tabs = await openTabs(2);
    expect(site.open).toBe(2);
    await publish(server.url, channel, ...numbers(10));
    for (const tab of tabs) expect(await hears(tab, 10)).toEqual(numbers(10));
    await tabs[0]?.evaluate('app.connection.close()');
    await eventually('one is left', () => site.open === 1);
  });
});

function openTab(options: { readonly name?: string } = {}): Promise<Page> {
  return openListening(context, site, { client: 'tabs', channel, ...options });
}

/** Opens them one after another: the first leads. */
async function openTabs(count: number): Promise<Page[]> {
  const tabs: Page[] = [];
  for (let at = 0; at < count; at++) tabs.push(await openTab());
  return tabs;
}

async function inState(tab: Page, state: string): Promise<void> {
  await eventually(state, async () => (await report(tab)).state === state);
}

const tickets = (): number => site.requests.filter((request) => request === 'POST /ticket').length;

/** As a browser has it with pages that nobody looks at; this one waits for a dialog, which it can be freed of again. */
async function hold(tab: Page): Promise<() => Promise<void>> {
  const opened = tab.waitForEvent('dialog');
  await tab.evaluate("void setTimeout(() => alert('held'))");
  const dialog = await opened;
  return () => dialog.accept();
}

async function leave(tab: Page, end: (typeof ENDS)[number]): Promise<void> {
  if (end === 'is closed') await tab.close();
  else if (end === 'goes elsewhere') await tab.goto('about:blank');
  else {
    const crashed = tab.waitForEvent('crash');
    const devtools = await tab.context().newCDPSession(tab);
    // It is never answered.
    devtools.send('Page.crash').catch(() => {});
    await crashed;
  }
}
