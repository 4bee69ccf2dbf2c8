import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { freePort } from '../support/free-port.ts';
import { redisUrl, uniquePrefix } from '../support/redis.ts';
import { launchChromium } from './chromium.ts';
import { faintTexts } from './contrast.ts';
import { dataFolder, type RunningExample, removeFolder, runExample, startExample } from './example.ts';
import { build } from './server.ts';

const ARTIFACTS = fileURLToPath(new URL('../../artifacts/', import.meta.url));
const PHONE = { width: 375, height: 720 };

let browser: Browser;
let data: string;
let shop: RunningExample;
let redis: Record<string, string>;

beforeAll(async () => {
  mkdirSync(ARTIFACTS, { recursive: true });
  build();
  data = dataFolder();
  redis = { REDIS_URL: redisUrl(), SIGNALBOX_NATIVE_PREFIX: uniquePrefix() };
  browser = await launchChromium();
});

afterEach(async () => {
  await Promise.all(browser.contexts().map((context) => context.close()));
});

afterAll(async () => {
  await browser?.close();
  removeFolder(data);
});

describe('the shop on Express', () => {
  describe('without Redis', () => {
    beforeAll(async () => {
      shop = await start('orders-alone.json', {});
    });
    afterAll(async () => {
      await shop?.stop();
    });

    test('shows what its routes publish to whom it concerns, in every tab, and again after a reload', async () => {
      const [ann, bob] = [await signIn('ann'), await signIn('bob')];
      const tab = await ann.context().newPage();
      await tab.goto(shop.url);
      await live(tab);
      await order(ann, 'A <i>teapot</i>');
      for (const page of [ann, tab]) await page.getByText('1. A <i>teapot</i>').waitFor();
      await order(bob, 'A spoon');
      await bob.getByText('2. A spoon').waitFor();
      expect(await entries(ann)).toEqual(['1. A <i>teapot</i> Placed']);
      expect(await entries(bob)).toEqual(['2. A spoon Placed']);
      await tab.reload();
      await live(tab);
      await tab.getByText('1. A <i>teapot</i>').waitFor();
    });

    test('answers its own routes as before', async () => {
      expect((await fetch(`${shop.url}/me`)).status).toBe(401);
      expect((await fetch(`${shop.url}/orders`, { method: 'POST' })).status).toBe(401);
      expect((await fetch(`${shop.url}/nothing`)).status).toBe(404);
    });

    test('has no other process heard, and says so there', async () => {
      const { code, output } = await ship('1', 'orders-alone.json', {});
      expect(code).toBe(1);
      expect(output).toContain('broker');
    });

    test('ends as it is asked to', async () => {
      expect(await shop.stop()).toBe(0);
    });
  });

  describe('with Redis', () => {
    beforeAll(async () => {
      shop = await start('orders.json', redis);
    });
    afterAll(async () => {
      await shop?.stop();
    });

    test('shows what another process publishes', async () => {
      const ann = await signIn('ann');
      await order(ann, 'A kettle');
      await order(ann, 'Tea');
      await ann.getByText('2. Tea').waitFor();
      expect(await ship('1', 'orders.json', redis)).toMatchObject({ code: 0 });
      await ann.getByText('On its way').waitFor();
      expect(await entries(ann)).toEqual(['2. Tea Placed', '1. A kettle On its way']);
      await ann.reload();
      await ann.getByText('On its way').waitFor();
      expect(await ship('99', 'orders.json', redis)).toMatchObject({ code: 1 });
    });

    test.each(['light', 'dark'] as const)(
      'in %s every text is readable (AA), and fits a phone',
      async (colorScheme) => {
        const page = await signIn('ann', { viewport: PHONE, deviceScaleFactor: 2, colorScheme });
        await page.getByText('1. A kettle').waitFor();
        expect(await faintTexts(page)).toEqual([]);
        expect(await page.evaluate<number>('document.documentElement.scrollWidth')).toBe(PHONE.width);
        await page.screenshot({ path: `${ARTIFACTS}express-${colorScheme}.png` });
      },
    );
  });
});

const start = async (file: string, env: Record<string, string>): Promise<RunningExample> =>
  startExample('examples/express/app.js', await freePort(), { ORDERS_FILE: join(data, file), ...env });

const ship = (number: string, file: string, env: Record<string, string>) =>
  runExample(['examples/express/ship.js', number], { ORDERS_FILE: join(data, file), ...env });

async function signIn(user: string, options: BrowserContextOptions = {}): Promise<Page> {
  const context = await browser.newContext(options);
  context.setDefaultTimeout(12_000);
  const page = await context.newPage();
  await page.goto(shop.url);
  await page.getByLabel('Who are you?').fill(user);
  await page.keyboard.press('Enter');
  await live(page);
  return page;
}

const live = (page: Page): Promise<void> => page.locator('body[data-state="live"]').waitFor();

async function order(page: Page, item: string): Promise<void> {
  await page.getByLabel('What would you like?').fill(item);
  await page.keyboard.press('Enter');
  await page.getByText(item).first().waitFor();
}

const entries = (page: Page): Promise<string[]> => page.locator('#orders li').allTextContents();
