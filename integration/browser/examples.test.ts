import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { launchChromium } from './chromium.ts';
import { faintTexts } from './contrast.ts';
import { build } from './server.ts';
import { type Site, startSite } from './site.ts';
import { type RunningVite, startVite, viteBuild, vitePreview } from './vite.ts';

const ARTIFACTS = fileURLToPath(new URL('../../artifacts/', import.meta.url));
const DESKTOP = { width: 900, height: 760 };
const PHONE = { width: 375, height: 700 };

let browser: Browser;

beforeAll(async () => {
  mkdirSync(ARTIFACTS, { recursive: true });
  build();
  browser = await launchChromium();
});

afterEach(async () => {
  await Promise.all(browser.contexts().map((context) => context.close()));
});

afterAll(async () => {
  await browser?.close();
});

describe.each(['notifications-svelte', 'notifications-react'])('examples/%s', (name) => {
  const example = `examples/${name}`;
  let folder: string;
  let preview: RunningVite;
  let site: Site;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'signalbox-example-'));
    viteBuild(example, folder);
    preview = await vitePreview(example, folder, await freePort());
    site = await startSite(Number(new URL(preview.url).port));
  });

  afterEach(() => site.mend());

  afterAll(async () => {
    site?.stop();
    await preview?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  test('shows what arrives, and what is read, in every tab', async () => {
    const [one, other] = [await open(), await open()];
    const before = await numbersIn(one);
    await one.getByRole('button', { name: 'Send me one' }).click();
    for (const page of [one, other])
      expect(await listed(page, before.length + 1)).toEqual([next(before), ...before]);
    await other.locator('li').first().getByRole('button', { name: 'Mark as read' }).click();
    for (const page of [one, other]) await page.locator('li:first-child:not(.unread)').waitFor();
    await one.getByRole('button', { name: 'Mark all as read' }).click();
    for (const page of [one, other])
      await eventually('all are read', async () => (await page.locator('li.unread').count()) === 0);
    expect(await other.locator('.count').count()).toBe(0);
  });

  test('is filled from the snapshot, and what came after it, when it is loaded again', async () => {
    const page = await open();
    // More than from one snapshot to the next.
    const [newest = 0] = await numbersIn(page);
    for (let at = 0; at < 12; at++) await send();
    const all = Array.from({ length: newest + 13 }, (_, at) => newest + 12 - at);
    expect(await listed(page, all.length)).toEqual(all);
    await page.reload();
    expect(await listed(page, all.length)).toEqual(all);
  });

  test('catches up after the line was cut, and shows nothing twice', async () => {
    const page = await open();
    const before = await numbersIn(page);
    site.cut();
    await page.locator('.line[data-state="stale"]').waitFor();
    await send();
    await send();
    await shoot(page, 'stale');
    expect(await numbersIn(page)).toEqual(before);
    site.mend();
    expect(await listed(page, before.length + 2)).toEqual([next(before) + 1, next(before), ...before]);
    await isLive(page);
  });

  test('fetches the list again when something was lost', async () => {
    const page = await open({}, loseOne);
    const before = await numbersIn(page);
    const fetched = page.waitForResponse(`${site.url}/notifications`);
    await send();
    await fetched;
    expect(await listed(page, before.length + 1)).toEqual([next(before), ...before]);
    await page.locator('.gap').waitFor({ state: 'detached' });
  });

  test.each(['light', 'dark'] as const)('in %s every text is readable (AA)', async (colorScheme) => {
    await send();
    const page = await open({ colorScheme, reducedMotion: 'reduce' });
    expect(await faintTexts(page)).toEqual([]);
    await shoot(page, colorScheme);
  });

  test('runs as its README says', async () => {
    const [, command = ''] = /^npx vite (.+)$/m.exec(readFileSync(`${example}/README.md`, 'utf8')) ?? [];
    const vite = await startVite(command.split(' '), await freePort());
    try {
      const page = await browser.newPage();
      await page.goto(vite.url);
      expect(await listed(page, 3)).toEqual([2, 1, 0]);
    } finally {
      await vite.stop();
    }
  });

  test('fits a phone', async () => {
    await send();
    const page = await open({ viewport: PHONE, deviceScaleFactor: 2, reducedMotion: 'reduce' });
    expect(await page.evaluate<number>('document.documentElement.scrollWidth')).toBe(PHONE.width);
    await shoot(page, 'phone');
  });

  async function open(
    options: BrowserContextOptions = {},
    prepare = async (_page: Page): Promise<void> => {},
  ): Promise<Page> {
    const context = await browser.newContext({ viewport: DESKTOP, ...options });
    const page = await context.newPage();
    await prepare(page);
    await page.goto(site.url);
    await isLive(page);
    await page.locator('li[data-kind]').first().waitFor();
    return page;
  }

  /** As the application's other parts do: not by this page. */
  async function send(): Promise<void> {
    const answer = await fetch(`${preview.url}/notifications`, { method: 'POST' });
    expect(answer.status).toBe(204);
  }

  async function shoot(page: Page, what: string): Promise<void> {
    await page.screenshot({ path: `${ARTIFACTS}${name}-${what}.png` });
  }
});

const isLive = (page: Page): Promise<void> => page.locator('.line[data-state="live"]').waitFor();

/** The notifications that a page shows, from its top. */
function numbersIn(page: Page): Promise<number[]> {
  return page.evaluate<number[]>(
    "[...document.querySelectorAll('li[data-id]')].map((li) => Number(li.dataset.id))",
  );
}

/** The same, once there are so many. */
async function listed(page: Page, atLeast: number): Promise<number[]> {
  await eventually(`${atLeast} in the list`, async () => (await numbersIn(page)).length >= atLeast);
  return numbersIn(page);
}

const next = ([newest = -1]: readonly number[]): number => newest + 1;

/** Has a gap come in the place of the first event, as from a server that no longer has it. */
async function loseOne(page: Page): Promise<void> {
  let isLost = false;
  await page.routeWebSocket('**/signalbox', (client) => {
    const server = client.connectToServer();
    server.onMessage((text) => {
      const frame = JSON.parse(text.toString()) as Readonly<Record<string, unknown>>;
      if (frame['type'] !== 'event' || isLost) return client.send(text);
      isLost = true;
      const { channel, id } = frame;
      client.send(JSON.stringify({ type: 'gap', channel, after: '0-0', id, reason: 'lossy' }));
    });
  });
}
