import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { type ServedHttp, serveHttp } from '../../test/support/http-surface.ts';
import { launchChromium } from './chromium.ts';
import { faintTexts } from './contrast.ts';

const ARTIFACTS = fileURLToPath(new URL('../../artifacts/', import.meta.url));
const DESKTOP = { width: 1280, height: 800 };
const PHONE = { width: 375, height: 812 };

let served: ServedHttp;
let browser: Browser;

beforeAll(async () => {
  mkdirSync(ARTIFACTS, { recursive: true });
  [served, browser] = await Promise.all([serveHttp(), launchChromium()]);
});
afterEach(async () => {
  await Promise.all(browser.contexts().map((context) => context.close()));
});
afterAll(async () => {
  await browser?.close();
  await served?.http.close();
});

/** Opens the page, with everything that the browser did not like about it. */
async function open(options: BrowserContextOptions): Promise<{ page: Page; complaints: string[] }> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('requestfailed', (request) => complaints.push(request.url()));
  await page.goto(served.url, { waitUntil: 'networkidle' });
  return { page, complaints };
}

describe('the page of production mode', () => {
  test.each(['light', 'dark'] as const)(
    'in %s is styled, and every text is readable (AA)',
    async (colorScheme) => {
      const { page, complaints } = await open({ viewport: DESKTOP, colorScheme });
      expect(await faintTexts(page)).toEqual([]);
      expect(await page.evaluate<string>('getComputedStyle(document.querySelector("main")).display')).toBe(
        'flex',
      );
      expect(complaints).toEqual([]);
      await page.screenshot({ path: `${ARTIFACTS}front-${colorScheme}.png` });
    },
  );

  test('fits a phone: nothing is cut off sideways', async () => {
    const { page } = await open({ viewport: PHONE, deviceScaleFactor: 2 });
    expect(await page.evaluate<number>('document.documentElement.scrollWidth')).toBe(PHONE.width);
    await page.screenshot({ path: `${ARTIFACTS}front-phone.png`, fullPage: true });
  });

  test('leads to what it names, by links that are served', async () => {
    const { page } = await open({ viewport: DESKTOP, javaScriptEnabled: false });
    const targets = await page
      .locator('a')
      .evaluateAll((links) => links.map((link) => String(Reflect.get(link, 'href'))));
    expect(targets.length).toBeGreaterThan(0);
    for (const target of targets) expect([target, (await fetch(target)).status]).toEqual([target, 200]);
  });
});
