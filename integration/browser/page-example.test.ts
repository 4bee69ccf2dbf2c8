import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { launchChromium } from './chromium.ts';
import { faintTexts } from './contrast.ts';
import { type RunningExample, startExample } from './example.ts';
import { type Line, startLine } from './line.ts';
import { build } from './server.ts';

const ARTIFACTS = fileURLToPath(new URL('../../artifacts/', import.meta.url));
const DESKTOP = { width: 900, height: 720 };
const PHONE = { width: 375, height: 720 };

let port: number;
let board: RunningExample;
let browser: Browser;
let line: Line;

beforeAll(async () => {
  mkdirSync(ARTIFACTS, { recursive: true });
  build();
  port = await freePort();
  [board, browser, line] = await Promise.all([start(), launchChromium(), startLine(port)]);
});

afterEach(async () => {
  await Promise.all(browser.contexts().map((context) => context.close()));
});

afterAll(async () => {
  await browser?.close();
  await line?.stop();
  await board?.stop();
});

describe('the page with an EventSource', () => {
  test('shows what is posted in every tab, and to who comes later', async () => {
    const ann = await enter('ann');
    const tab = await ann.context().newPage();
    await tab.goto(board.url);
    await inState(tab, 'live');
    await post(ann, '<b>Tea</b> at five');
    await post(tab, 'and cake');
    for (const page of [ann, tab, await enter('bob')]) {
      await noteOf(page, 'and cake');
      expect((await notes(page)).slice(0, 2)).toEqual(['and cake', '<b>Tea</b> at five']);
    }
    expect(await ann.locator('#position').textContent()).toMatch(/^[\w-]+\.\d+-\d+$/);
  });

  test('resumes where its line was cut: what was missed comes first, each note once', async () => {
    const [ann, bob] = [await enter('ann'), await enter('bob', { url: line.url })];
    await post(ann, 'before');
    await noteOf(bob, 'before');
    await bob.evaluate("document.querySelector('#notes li').dataset.mark = 'before'");
    line.cut();
    await inState(bob, 'stale');
    for (const text of ['missed one', 'missed two']) {
      await post(ann, text);
      await noteOf(ann, text);
    }
    expect((await notes(bob))[0]).toBe('before');
    await bob.screenshot({ path: `${ARTIFACTS}page-example-stale.png` });
    line.mend();
    await noteOf(bob, 'missed two');
    await inState(bob, 'live');
    await post(ann, 'after');
    await noteOf(bob, 'after');
    expect(await notes(bob)).toEqual(await notes(ann));
    expect((await notes(bob)).slice(0, 4)).toEqual(['after', 'missed two', 'missed one', 'before']);
    // It went on: from another snapshot the note would be another element.
    expect(await bob.locator('[data-mark="before"]').textContent()).toContain('before');
  });

  test('begins anew after a gap', async () => {
    const ann = await enter('ann');
    await post(ann, 'kept');
    await noteOf(ann, 'kept');
    const tab = await ann.context().newPage();
    // As of a page that comes back when everything it knew was lost.
    await tab.route('**/events**', (route) =>
      route.continue({ url: `${route.request().url()}&lastEventId=lost.1-0` }),
    );
    await tab.goto(board.url);
    await noteOf(tab, 'kept');
    await inState(tab, 'live');
    expect(await notes(tab)).toEqual(await notes(ann));
  });

  test('says so when a note was not posted, and keeps it', async () => {
    const bob = await enter('bob', { url: line.url });
    line.cut();
    await inState(bob, 'stale');
    await post(bob, 'into the void');
    await bob.getByText('That was not posted.').waitFor();
    expect(await bob.getByLabel('A note').inputValue()).toBe('into the void');
    line.mend();
    await inState(bob, 'live');
    await bob.getByRole('button', { name: 'Post it' }).click();
    await noteOf(bob, 'into the void');
    expect(await bob.getByLabel('A note').inputValue()).toBe('');
  });

  test('lets nobody in without a name, or read or post without a cookie', async () => {
    const form = new URLSearchParams({ name: '<script>' });
    expect((await fetch(`${board.url}/login`, { method: 'POST', body: form })).status).toBe(400);
    expect((await fetch(`${board.url}/notes`, { method: 'POST', body: 'hello' })).status).toBe(401);
    expect((await fetch(`${board.url}/signalbox/events?channel=board`)).status).toBe(401);
    expect((await fetch(`${board.url}/server.js`)).status).toBe(404);
  });

  test.each(['light', 'dark'] as const)('in %s every text is readable (AA)', async (colorScheme) => {
    const ann = await enter('ann', { colorScheme });
    await post(ann, `Good morning, in ${colorScheme}`);
    await noteOf(ann, `Good morning, in ${colorScheme}`);
    expect(await faintTexts(ann)).toEqual([]);
    await ann.screenshot({ path: `${ARTIFACTS}page-example-${colorScheme}.png` });
    const door = await (await browser.newContext({ viewport: DESKTOP, colorScheme })).newPage();
    await door.goto(board.url);
    expect(await faintTexts(door)).toEqual([]);
    await door.screenshot({ path: `${ARTIFACTS}page-example-door-${colorScheme}.png` });
  });

  test('fits a phone: nothing is cut off sideways', async () => {
    const ann = await enter('ann', { viewport: PHONE, deviceScaleFactor: 2, url: line.url });
    await post(ann, 'https://example.com/a-word-that-is-much-longer-than-any-phone-is-wide-and-has-no-end');
    await ann.locator('#notes li', { hasText: 'a-word' }).waitFor();
    expect(await ann.evaluate<number>('document.documentElement.scrollWidth')).toBe(PHONE.width);
    await ann.screenshot({ path: `${ARTIFACTS}page-example-phone.png` });
    line.cut();
    await inState(ann, 'stale');
    expect(await ann.evaluate<number>('document.documentElement.scrollWidth')).toBe(PHONE.width);
    expect(await faintTexts(ann)).toEqual([]);
    await ann.screenshot({ path: `${ARTIFACTS}page-example-phone-stale.png` });
    line.mend();
  });

  // The last one: it signs everybody out.
  test('says when it was refused for good, as after a restart, which knows no old cookie', async () => {
    const ann = await enter('ann');
    expect(await board.stop()).toBe(0);
    await inState(ann, 'stale');
    board = await start();
    await inState(ann, 'closed');
    await ann.getByText('You are signed out.').waitFor();
    await ann.reload();
    await ann.getByLabel('Your name').waitFor();
  });
});

const start = (): Promise<RunningExample> => startExample('examples/page/server.js', port, {});

/** Signs in as a person does, in a browser of their own, and waits until the page is live. */
async function enter(
  name: string,
  { url = board.url, ...options }: BrowserContextOptions & { url?: string } = {},
): Promise<Page> {
  const context = await browser.newContext({ viewport: DESKTOP, ...options });
  context.setDefaultTimeout(12_000);
  const page = await context.newPage();
  page.on('pageerror', (error) => {
    throw error;
  });
  await page.goto(url);
  await page.getByLabel('Your name').fill(name);
  await page.keyboard.press('Enter');
  await inState(page, 'live');
  return page;
}

async function post(page: Page, text: string): Promise<void> {
  await page.getByLabel('A note').fill(text);
  await page.keyboard.press('Enter');
}

/** Waits for a note of just this text, once and no more. */
const noteOf = (page: Page, text: string): Promise<unknown> =>
  eventually(`a note: ${text}`, async () => (await notes(page)).filter((one) => one === text).length === 1);

const inState = (page: Page, state: string): Promise<void> =>
  page.locator(`body[data-state="${state}"]`).waitFor();

/** What is on the board, from its top. */
const notes = (page: Page): Promise<string[]> => page.locator('#notes li p').allTextContents();
