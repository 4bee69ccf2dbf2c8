import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { eventually } from '../support/eventually.ts';
import { barriers } from './accessibility.ts';
import { launchChromium } from './chromium.ts';
import { type PanelFixture, startPanelFixture } from './panel-fixture.ts';
import { build } from './server.ts';

const ARTIFACTS = fileURLToPath(new URL('../../artifacts/', import.meta.url));
const DESKTOP = { width: 1440, height: 900 };
const PHONE = { width: 390, height: 844 };
const ROWS = 10_000;

let fixture: PanelFixture;
let browser: Browser;

beforeAll(async () => {
  mkdirSync(ARTIFACTS, { recursive: true });
  build();
  [fixture, browser] = await Promise.all([startPanelFixture(ROWS), launchChromium()]);
});

afterEach(async () => {
  await Promise.all(browser.contexts().map((context) => context.close()));
});

afterAll(async () => {
  await browser?.close();
  await fixture?.stop();
});

describe('the panel', () => {
  test('asks for the token, shows what it opens, and can be left', async () => {
    const { page, complaints } = await open('/sockets?text=user-7', { isLoggedIn: false });
    await page.getByLabel('Token').fill('a guess');
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByText('That is not the token').waitFor();
    expect(await barriers(page)).toEqual([]);
    await page.getByLabel('Token').fill(fixture.token);
    await page.keyboard.press('Enter');
    // It goes on where it was asked to.
    await page.getByRole('grid', { name: 'Sockets' }).waitFor();
    expect(new URL(page.url()).search).toBe('?text=user-7');
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.getByLabel('Token').waitFor();
    expect(complaints.filter((text) => !text.includes('401'))).toEqual([]);
  });

  test('counts what is in each state, draws the last minutes, and says when the line is cut', async () => {
    const { page, complaints } = await open('', { viewport: DESKTOP, clock: true });
    await page.getByRole('link', { name: /^8,\d\d\d sockets live$/ }).waitFor();
    await page.getByText('No answer from an instance').waitFor();
    await page.getByRole('img', { name: /deliveries now [\d,]+, at most/ }).waitFor();
    await page.screenshot({ path: `${ARTIFACTS}panel-overview.png`, fullPage: true });
    fixture.silence(true);
    try {
      await eventually('the line counts as cut', async () => {
        await page.clock.fastForward(5_000);
        return page.getByText('The line to the server is cut').isVisible();
      });
    } finally {
      fixture.silence(false);
    }
    await eventually('the line is back', async () => {
      await page.clock.fastForward(500);
      return page.getByText('Line live').isVisible();
    });
    expect(complaints).toEqual([]);
  });

  test('finds one socket among ten thousand with the keyboard alone, and can be shared', async () => {
    const { page } = await open('/sockets', { viewport: DESKTOP });
    await page.getByText('10,000 of 10,000').waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('user-2999');
    await page.getByText('3 of 10,000').waitFor();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    const id = await page.locator('[role=row][aria-selected=true] a').textContent();
    const { page: other } = await open(page.url().slice(fixture.url.length), {});
    await other.getByText('3 of 10,000').waitFor();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: `Socket ${id}` }).waitFor();
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keys' }).waitFor();
    await page.keyboard.press('Escape');
    await page.goBack();
    await page.getByText('3 of 10,000').waitFor();
  });

  test('scrolls through ten thousand rows, draws few, and is not moved by what changes', async () => {
    const { page } = await open('/sockets', { viewport: DESKTOP });
    await page.getByText('10,000 of 10,000').waitFor();
    const grid = page.getByRole('grid');
    await grid.focus();
    await page.keyboard.press('End');
    await page.locator('[aria-rowindex="10001"]:not(:has-text("…"))').waitFor();
    expect(await page.getByRole('row').count()).toBeLessThan(80);
    const top = () => page.evaluate<number>('document.querySelector("[role=grid]").scrollTop');
    const before = await top();
    const questions = fixture.asked.length;
    await eventually('it was refreshed twice', () => fixture.asked.length >= questions + 2);
    expect(await top()).toBe(before);
    for (const search of fixture.asked)
      expect(Number(new URLSearchParams(search).get('limit'))).toBeLessThanOrEqual(500);
    await page.keyboard.press('Home');
    await page.locator('[aria-rowindex="2"]:not(:has-text("…"))').waitFor();
  });

  test('shows the machine of a socket with what is active lit, and acts on it when that is confirmed', async () => {
    const { page } = await open('/sockets?state=stale', { viewport: DESKTOP });
    await page.getByRole('row', { name: /Stale/ }).first().click();
    await page.locator('[data-path="open.heartbeat.unanswered.stale"].active').waitFor();
    expect(await page.locator('.box.active').count()).toBe(3);
    await page.getByText('paused at').waitFor();
    await page.screenshot({ path: `${ARTIFACTS}panel-socket.png`, fullPage: true });
    const id = new URL(page.url()).pathname.split('/').at(-1);
    await page.getByRole('button', { name: 'Disconnect' }).click();
    await page.getByRole('button', { name: 'Leave it' }).click();
    expect(fixture.done).toEqual([]);
    await page.getByRole('button', { name: 'Disconnect' }).click();
    const dialog = page.getByRole('dialog');
    expect(await barriers(page)).toEqual([]);
    await dialog.getByLabel(/A word/).fill('bye');
    await dialog.getByRole('button', { name: 'Disconnect' }).click();
    await page.getByText('✓ Disconnected').waitFor();
    expect(fixture.done).toEqual([`/inspect/api/sockets/${id}/disconnect {"word":"bye"}`]);
    await page.getByLabel('Event id').fill('1764288000000-0');
    await page.getByRole('button', { name: 'Ask' }).click();
    await page.getByText('no ping has been answered').waitFor();
  });

  const pages = [
    ['overview', ''],
    ['sockets', '/sockets?text=1&minLagMs=10'],
    ['channels', '/channels?state=live'],
    ['socket', '/sockets/s35s'],
    ['channel', '/channels/native/room:4'],
    ['reader', '/readers/firehose-native'],
    ['log', '/log?channel=room:4'],
    ['why', '/why?event=1764288000000-0&user=user-4'],
    ['inspector', '/inspector'],
  ] as const;
  test.each(pages)('its page %s has no barriers in light and dark, and fits a phone', async (name, path) => {
    const { page, complaints } = await open(path, { viewport: PHONE, reducedMotion: 'reduce' });
    await page.getByText('Line live').waitFor();
    await page.getByRole('heading', { level: 1 }).waitFor();
    await page.waitForLoadState('load');
    expect(await barriers(page)).toEqual([]);
    expect(await page.evaluate<number>('document.documentElement.scrollWidth')).toBe(PHONE.width);
    expect(await page.evaluate<number>('document.getAnimations().length')).toBe(0);
    await page.setViewportSize(DESKTOP);
    await page.emulateMedia({ colorScheme: 'dark' });
    expect(await barriers(page)).toEqual([]);
    await page.screenshot({ path: `${ARTIFACTS}panel-${name}-dark.png`, fullPage: true });
    expect(complaints).toEqual([]);
  });
});

interface Opened {
  readonly page: Page;
  /** What the browser's console was told that is no mere information: what the content security policy forbids, too. */
  readonly complaints: string[];
}

interface Options extends BrowserContextOptions {
  readonly isLoggedIn?: boolean;
  /** The page's time is the test's. */
  readonly clock?: boolean;
}

async function open(
  path: string,
  { isLoggedIn = true, clock = false, ...options }: Options,
): Promise<Opened> {
  const context = await browser.newContext(options);
  if (isLoggedIn) {
    const { status } = await context.request
      .post(`${fixture.url}/login`, { data: { token: fixture.token } })
      .then((response) => ({ status: response.status() }));
    expect(status).toBe(204);
  }
  const page = await context.newPage();
  if (clock) await page.clock.install();
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  await page.goto(fixture.url + path);
  return { page, complaints };
}
