import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { NativeClient, tokenWith } from '../native/client.ts';
import { eventually } from '../support/eventually.ts';
import { ADMIN_ENV, ADMIN_TOKEN, Operator } from '../support/operator.ts';
import { redisUrl, uniquePrefix } from '../support/redis.ts';
import { type Signalbox, startSignalbox } from '../support/signalbox.ts';
import { barriers } from './accessibility.ts';
import { launchChromium } from './chromium.ts';
import { type Crowd, startCrowd } from './crowd.ts';
import { build } from './server.ts';

const ARTIFACTS = fileURLToPath(new URL('../../artifacts/', import.meta.url));
const DESKTOP = { width: 1440, height: 900 };
const PHONE = { width: 390, height: 844 };

let browser: Browser;

beforeAll(async () => {
  mkdirSync(ARTIFACTS, { recursive: true });
  build();
  browser = await launchChromium();
});

afterEach(async () => {
  await Promise.all(browser.contexts().map((context) => context.close()));
});

afterAll(() => browser?.close());

describe('the panel of a server', () => {
  let signalbox: Signalbox;
  let url: string;
  const clients: NativeClient[] = [];

  const connect = async (user: string): Promise<NativeClient> => {
    const client = await NativeClient.open(signalbox.port, { token: tokenWith({ sub: user }) });
    clients.push(client);
    await client.ask({ type: 'subscribe', channel: 'platform-9' });
    return client;
  };

  beforeAll(async () => {
    signalbox = await startSignalbox({
      ...ADMIN_ENV,
      REDIS_URL: redisUrl(),
      SIGNALBOX_SUPERSET_PROTOCOL: 'off',
      SIGNALBOX_NATIVE_PREFIX: `${uniquePrefix()}:`,
      PING_SOCKETS_INTERVAL_MS: '2000',
    });
    await eventually('ready', async () => (await signalbox.readyStatus()) === 200);
    url = Operator.of(signalbox).url;
  });

  afterEach(() => {
    for (const client of clients.splice(0)) client.cut();
  });

  afterAll(() => signalbox?.stop());

  test('asks for the token, goes on where it was asked to, and can be left', async () => {
    const { page, complaints } = await open(`${url}/inspect/sockets?text=ann`);
    await page.getByLabel('Token').fill('a guess');
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByText('That is not the token').waitFor();
    expect(await barriers(page)).toEqual([]);
    await page.getByLabel('Token').fill(ADMIN_TOKEN);
    await page.keyboard.press('Enter');
    await page.getByText('No sockets yet').waitFor();
    expect(new URL(page.url()).search).toBe('?text=ann');
    await page.getByRole('button', { name: 'Colours' }).click();
    await page.reload();
    await page.locator('html[data-theme="dark"]').waitFor();
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.getByLabel('Token').waitFor();
    expect(complaints.filter((text) => !text.includes('401'))).toEqual([]);
  });

  test("shows an operator a user's socket, why it is stale, and that it comes back when it is dropped", async () => {
    const ann = await connect('ann');
    const bob = await connect('bob');
    const { page, complaints } = await open(`${url}/inspect/sockets`, {
      isLoggedIn: true,
      viewport: DESKTOP,
    });
    await page.getByText('2 of 2').waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('ann');
    await page.getByText('1 of 2').waitFor();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: /^Socket / }).waitFor();

    // This client answers no ping by itself.
    await page.locator('[data-path="open.heartbeat.unanswered.stale"].active').waitFor();
    await page.locator('h1 + p', { hasText: 'Stale' }).waitFor();
    await page.getByText('a ping was unanswered').first().waitFor();

    const { id } = await bob.ask({
      type: 'publish',
      channel: 'platform-9',
      topic: 'note',
      data: 'not for the panel',
    });
    await page.getByLabel('Event id').fill(String(id));
    await page.getByRole('button', { name: 'Ask' }).click();
    await page.locator('[data-verdict="stale"]', { hasText: 'a ping has been unanswered' }).waitFor();
    await page.screenshot({ path: `${ARTIFACTS}panel-socket-stale.png`, fullPage: true });

    // Whatever it says is an answer.
    ann.send({ type: 'pong' });
    await page.locator('[data-path="open.delivery.live"].active').waitFor();
    await ann.receives((frame) => frame.id === id);

    await page.getByRole('button', { name: 'Drop' }).click();
    await page.getByRole('button', { name: 'Leave it' }).click();
    await page.getByRole('button', { name: 'Drop' }).click();
    const dialog = page.getByRole('dialog', { name: /^Drop / });
    expect(await barriers(page)).toEqual([]);
    await dialog.getByRole('button', { name: 'Drop' }).click();
    await page.getByText('■ Closed at').waitFor();
    expect(signalbox.log.filter(({ action }) => action === 'drop')).toHaveLength(1);

    await connect('ann');
    await page.getByRole('link', { name: 'Other sockets of ann' }).click();
    await page.getByRole('row', { name: /Live .* ann/ }).waitFor();
    expect(complaints).toEqual([]);
  });

  test('lists what happens in the live log, as it happens, and holds it', async () => {
    const { page } = await open(`${url}/inspect/log?user=ann`, { isLoggedIn: true, viewport: DESKTOP });
    await page.getByText('● Listening').waitFor();
    const ann = await connect('ann');
    await page.locator('.lines .opened').waitFor();
    const bob = await connect('bob');
    await bob.ask({ type: 'publish', channel: 'platform-9', topic: 'note', data: 'not for the panel' });
    await page.locator('.lines .delivered').waitFor();
    await page.getByRole('button', { name: 'Hold the list' }).click();
    const lines = await page.locator('.lines li').count();
    ann.cut();
    await page.getByRole('button', { name: 'Let it run' }).click();
    await page.locator('.lines .closed').waitFor();
    expect(await page.locator('.lines li').count()).toBeGreaterThan(lines);
    await page.getByLabel('Denied').check();
    await page.getByText('No line matches').waitFor();
    expect(page.url()).toContain('kind=denied');
    expect(await page.content()).not.toContain('not for the panel');
  });

  test("switches Stately's inspector on and off", async () => {
    const { page, complaints } = await open(`${url}/inspect/inspector`, { isLoggedIn: true });
    await page.getByText('○ Off').waitFor();
    await page.getByLabel('One user').check();
    await page.getByLabel('Its id or name').fill('ann');
    await page.getByRole('button', { name: 'Switch it on' }).click();
    await page.getByText('● On, for user ann').waitFor();
    await page.getByLabel('All actors').check();
    await page.getByRole('button', { name: 'Switch it on' }).click();
    await page.getByText('● On, for all actors').waitFor();
    await page.getByRole('button', { name: 'Switch it off' }).click();
    await page.getByText('○ Off').waitFor();
    expect(complaints).toEqual([]);
  });

  const pages = [
    ['overview', ''],
    ['sockets', '/sockets?text=a&user=ann'],
    ['channels', '/channels?state=live'],
    ['socket', '/sockets/:id'],
    ['channel', '/channels/native/platform-9'],
    ['reader', '/readers/reader%3Afirehose'],
    ['log', '/log?channel=platform-9'],
    ['why', '/why?event=1764288000000-0&user=ann'],
    ['inspector', '/inspector'],
  ] as const;
  test.each(pages)(
    'has a page for %s without barriers, in light and dark, that fits a phone',
    async (name, path) => {
      await connect('ann');
      const operator = new Operator(url);
      const { body } = await operator.get<{ rows: { id: string }[] }>('/inspect/api/sockets?user=ann');
      const at = `${url}/inspect${path.replace(':id', body.rows[0]?.id ?? 'none')}`;
      const { page, complaints } = await open(at, {
        isLoggedIn: true,
        viewport: PHONE,
        reducedMotion: 'reduce',
      });
      await page.getByText('Line live').waitFor();
      await page.getByText('Asking').waitFor({ state: 'detached' });
      expect(await barriers(page)).toEqual([]);
      expect(await page.evaluate<number>('document.documentElement.scrollWidth')).toBe(PHONE.width);
      expect(await page.evaluate<number>('document.getAnimations().length')).toBe(0);
      await page.setViewportSize(DESKTOP);
      await page.emulateMedia({ colorScheme: 'dark' });
      expect(await barriers(page)).toEqual([]);
      await page.screenshot({ path: `${ARTIFACTS}panel-${name}.png`, fullPage: true });
      expect(complaints).toEqual([]);
    },
  );
});

describe('the panel of ten thousand sockets', () => {
  let crowd: Crowd;

  beforeAll(async () => {
    crowd = await startCrowd(10_000);
  });

  afterAll(() => crowd?.stop());

  test('counts them by state, draws the last minutes, and says who is silent and when the line is cut', async () => {
    const { page, complaints } = await open(`${crowd.url}/inspect`, {
      isLoggedIn: true,
      viewport: DESKTOP,
      hasOwnTime: true,
    });
    await page.getByRole('link', { name: '8,750 sockets live' }).waitFor();
    await page.getByText('No answer from an instance').waitFor();
    await page.getByRole('img', { name: /deliveries now [\d,]+, at most/ }).waitFor();
    crowd.silence(true);
    await eventually('the line counts as cut', async () => {
      await page.clock.fastForward(5_000);
      return page.getByText('The line to the server is cut').isVisible();
    });
    crowd.silence(false);
    await eventually('the line is back', async () => {
      await page.clock.fastForward(500);
      return page.getByText('Line live').isVisible();
    });
    expect(complaints).toEqual([]);
  });

  test('finds one with the keyboard alone, and its address shows others the same', async () => {
    const { page } = await open(`${crowd.url}/inspect/sockets`, { isLoggedIn: true, viewport: DESKTOP });
    await page.getByText('10,000 of 10,000').waitFor();
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keys' }).waitFor();
    await page.keyboard.press('Escape');
    await page.keyboard.press('/');
    await page.keyboard.type('user-2999');
    await page.getByText('3 of 10,000').waitFor();
    await page.keyboard.press('ArrowDown');
    for (const _ of [1, 2, 3]) await page.keyboard.press('ArrowDown');
    const id = await page.locator('[role=row][aria-selected=true] a').textContent();
    const { page: other } = await open(page.url(), { isLoggedIn: true });
    await other.getByText('3 of 10,000').waitFor();
    expect(await other.getByRole('grid').getByRole('link').allTextContents()).toContain(id);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: `Socket ${id}` }).waitFor();
    await page.goBack();
    await page.getByText('3 of 10,000').waitFor();
  });

  test('scrolls through all of them, draws few, and is not moved by what changes', async () => {
    const { page } = await open(`${crowd.url}/inspect/sockets`, { isLoggedIn: true, viewport: DESKTOP });
    await page.getByText('10,000 of 10,000').waitFor();
    await page.getByRole('grid').focus();
    await page.keyboard.press('End');
    await page.locator('[aria-rowindex="10001"]:not(:has-text("…"))').waitFor();
    expect(await page.getByRole('row').count()).toBeLessThan(80);
    const top = () => page.evaluate<number>('document.querySelector("[role=grid]").scrollTop');
    const before = await top();
    const questions = crowd.asked.length;
    await eventually('it was refreshed', () => crowd.asked.length > questions);
    expect(await top()).toBe(before);
    expect(crowd.asked.filter(({ limit = 0 }) => limit > 500)).toEqual([]);
    await page.keyboard.press('Home');
    await page.locator('[aria-rowindex="2"]:not(:has-text("…"))').waitFor();
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
  readonly hasOwnTime?: boolean;
}

async function open(address: string, { isLoggedIn, hasOwnTime, ...options }: Options = {}): Promise<Opened> {
  const context = await browser.newContext(options);
  if (isLoggedIn) {
    const login = new URL('/inspect/login', address).href;
    const answer = await context.request.post(login, { data: { token: ADMIN_TOKEN } });
    if (answer.status() !== 204) throw new Error(`the login answered ${answer.status()}`);
  }
  const page = await context.newPage();
  // Less than a test has, so that it is told what did not come.
  page.setDefaultTimeout(10_000);
  if (hasOwnTime) await page.clock.install();
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  await page.goto(address);
  return { page, complaints };
}
