import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { launchChromium } from './chromium.ts';
import { faintTexts } from './contrast.ts';
import { build, type RunningServer, startServer } from './server.ts';

const ARTIFACTS = fileURLToPath(new URL('../../artifacts/', import.meta.url));
const DESKTOP = { width: 1280, height: 860 };
const PHONE = { width: 375, height: 812 };

let port: number;
let server: RunningServer;
let browser: Browser;

beforeAll(async () => {
  mkdirSync(ARTIFACTS, { recursive: true });
  build();
  port = await freePort();
  [server, browser] = await Promise.all([startServer(port), launchChromium()]);
});

afterEach(async () => {
  await Promise.all(browser.contexts().map((context) => context.close()));
});

afterAll(async () => {
  await browser?.close();
  await server?.stop();
});

describe('the page', () => {
  test('connects, receives, is dropped, and is caught up exactly', async () => {
    const { page, complaints, lines } = await open({ viewport: DESKTOP });
    await received(page, 5);
    await page.screenshot({ path: `${ARTIFACTS}page-live.png`, fullPage: true });

    await page.getByRole('button', { name: 'Drop the line' }).click();
    await inState(page, 'stale');
    const before = await counts(page);
    await page.getByLabel('Message').fill('Sent while the line is down');
    await page.getByRole('button', { name: 'Publish' }).click();
    await page.locator('#published[data-id*="-"]').waitFor();
    await page.screenshot({ path: `${ARTIFACTS}page-stale.png`, fullPage: true });
    expect(await counts(page)).toEqual(before);

    await page.locator('body[data-catch-ups="1"][data-shown="live"]').waitFor();
    const after = await counts(page);
    expect(after).toMatchObject({ missed: 0, duplicate: 0, outOfOrder: 0 });
    expect(after.received - before.received).toBe(after.number - before.number + 1);
    // Four seconds at five a second, however slow this machine is.
    expect(after.replayed).toBeGreaterThanOrEqual(15);
    await expect(page.locator('#verdict').textContent()).resolves.toMatch(
      /^✓ Caught up exactly\..*: 0 missed, 0 duplicate\.$/,
    );
    expect(
      await page.locator('#events li.replayed', { hasText: 'Sent while the line is down' }).count(),
    ).toBe(1);
    await page.screenshot({ path: `${ARTIFACTS}page-caught-up.png`, fullPage: true });

    // The same once more from the wire, without the page's own accounts.
    expect(lines.length).toBe(2);
    const resumedFrom = new URL(lines[1]?.url ?? '').searchParams.get('last_id') ?? '';
    const taken = lines[0]?.frames.findIndex(({ id }) => id === resumedFrom) ?? -1;
    expect(taken).toBeGreaterThanOrEqual(0);
    const frames = [...(lines[0]?.frames.slice(0, taken + 1) ?? []), ...(lines[1]?.frames ?? [])];
    const ids = frames.map(({ id }) => id);
    expect(ids).toEqual([...new Set(ids)].toSorted(byId));
    const numbers = frames.flatMap(({ data }) => (data.n === undefined ? [] : [data.n]));
    expect(numbers).toEqual(numbers.map((_, at) => (numbers[0] ?? 0) + at));
    expect(complaints).toEqual([]);
  });

  test('shows what was published as it comes back, in every open page', async () => {
    const [one, other] = await Promise.all([open({ viewport: DESKTOP }), open({ viewport: DESKTOP })]);
    await one.page.getByLabel('Message').fill('<b>for all</b>');
    await one.page.getByRole('button', { name: 'Publish' }).click();
    for (const { page } of [one, other]) {
      await page.locator('#events li', { hasText: '<b>for all</b>' }).waitFor();
      expect((await counts(page)).missed).toBe(0);
    }
  });

  test('is live again by itself after a restart of the server, which knows no old cookie', async () => {
    const { page } = await open({ viewport: DESKTOP });
    await received(page, 3);
    expect(await server.stop()).toBe(0);
    await inState(page, 'stale');
    server = await startServer(port);
    await inState(page, 'live');
    await received(page, (await counts(page)).received + 3);
    expect(await counts(page)).toMatchObject({ missed: 0, duplicate: 0 });
  });

  test('is worked with the keyboard alone', async () => {
    const { page } = await open({ viewport: DESKTOP });
    const reached: string[] = [];
    for (let step = 0; step < 7; step += 1) {
      await page.keyboard.press('Tab');
      reached.push(
        await page.evaluate<string>('document.activeElement.id || document.activeElement.textContent'),
      );
      if (reached.at(-1) === 'drop') await page.keyboard.press('Enter');
    }
    expect(reached).toEqual(expect.arrayContaining(['hold', 'drop', 'text', 'Publish']));
    await inState(page, 'stale');
  });

  test('the list can be held, and loses nothing by it', async () => {
    const { page } = await open({ viewport: DESKTOP });
    await received(page, 2);
    await page.getByRole('button', { name: 'Hold the list' }).click();
    const rows = await page.locator('#events li').count();
    await received(page, (await counts(page)).received + 3);
    expect(await page.locator('#events li').count()).toBe(rows);
    await page.getByRole('button', { name: 'Let it run' }).click();
    expect(await page.locator('#events li').count()).toBeGreaterThanOrEqual(rows + 3);
  });

  test('fits a phone: nothing is cut off sideways', async () => {
    const { page } = await open({ viewport: PHONE, deviceScaleFactor: 2 });
    await received(page, 5);
    expect(await page.evaluate<number>('document.documentElement.scrollWidth')).toBe(PHONE.width);
    await page.screenshot({ path: `${ARTIFACTS}page-phone.png`, fullPage: true });
  });

  test.each(['light', 'dark'] as const)(
    'in %s every text is readable (AA), in every state',
    async (colorScheme) => {
      const { page } = await open({ viewport: DESKTOP, colorScheme });
      await received(page, 3);
      expect(await faintTexts(page)).toEqual([]);
      await page.screenshot({ path: `${ARTIFACTS}page-${colorScheme}.png`, fullPage: true });
      for (const state of ['stale', 'replaying']) {
        await inState(page, 'live');
        // One line for each: on a busy machine the first look lasts beyond the second state.
        await page.getByRole('button', { name: 'Drop the line' }).click();
        await page.locator(`body[data-shown="${state}"]`).waitFor();
        expect(await faintTexts(page)).toEqual([]);
      }
    },
  );

  test('moves nothing for those who want it still', async () => {
    const { page } = await open({ viewport: DESKTOP, reducedMotion: 'reduce' });
    await received(page, 5);
    expect(await page.evaluate<number>('document.getAnimations().length')).toBe(0);
  });
});

interface Frame {
  readonly id: string;
  readonly data: { readonly n?: number };
}

interface Line {
  readonly url: string;
  readonly frames: Frame[];
}

interface Opened {
  readonly page: Page;
  /** What the browser's console was told that is no mere information. */
  readonly complaints: string[];
  /** Every WebSocket the page opened, and what came over it. */
  readonly lines: Line[];
}

/** Opens the page in a browser of its own, as far as cookies go, and waits until it is live. */
async function open(options: BrowserContextOptions): Promise<Opened> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const complaints: string[] = [];
  const lines: Line[] = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('websocket', (socket) => {
    const line: Line = { url: socket.url(), frames: [] };
    lines.push(line);
    socket.on('framereceived', ({ payload }) => line.frames.push(JSON.parse(payload.toString()) as Frame));
  });
  await page.goto(server.url);
  await inState(page, 'live');
  return { page, complaints, lines };
}

function inState(page: Page, state: string): Promise<void> {
  return page.locator(`body[data-state="${state}"]`).waitFor();
}

async function received(page: Page, atLeast: number): Promise<void> {
  await eventually(`${atLeast} events`, async () => (await counts(page)).received >= atLeast);
}

type Counts = Record<'received' | 'replayed' | 'missed' | 'duplicate' | 'outOfOrder' | 'number', number>;

async function counts(page: Page): Promise<Counts> {
  return page.evaluate<Counts>(
    "Object.fromEntries(Object.entries(document.getElementById('counts').dataset).map(([name, value]) => [name, Number(value)]))",
  );
}

function byId(a: string, b: string): number {
  const [msOfA = 0, seqOfA = 0] = a.split('-').map(Number);
  const [msOfB = 0, seqOfB = 0] = b.split('-').map(Number);
  return msOfA - msOfB || seqOfA - seqOfB;
}
