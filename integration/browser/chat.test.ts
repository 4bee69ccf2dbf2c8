import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { launchChromium } from './chromium.ts';
import { faintTexts } from './contrast.ts';
import { dataFolder, type RunningExample, removeFolder, startExample } from './example.ts';
import { type Line, startLine } from './line.ts';
import { build } from './server.ts';

const SERVER = 'examples/chat/server.js';
const ARTIFACTS = fileURLToPath(new URL('../../artifacts/', import.meta.url));
const DESKTOP = { width: 1100, height: 760 };
const PHONE = { width: 375, height: 812 };

let port: number;
let data: string;
let chat: RunningExample;
let browser: Browser;
let line: Line;

beforeAll(async () => {
  mkdirSync(ARTIFACTS, { recursive: true });
  build();
  port = await freePort();
  data = dataFolder();
  [chat, browser, line] = await Promise.all([start(), launchChromium(), startLine(port)]);
});

afterEach(async () => {
  await Promise.all(browser.contexts().map((context) => context.close()));
});

afterAll(async () => {
  await browser?.close();
  await line?.stop();
  await chat?.stop();
  removeFolder(data);
});

describe('the chat', () => {
  test('carries what two people say to both, and says who is here and who types', async () => {
    const [ann, bob] = [await enter('ann'), await enter('bob')];
    await say(ann, 'Hello, is anybody here?');
    await say(bob, '<b>Me</b>, since this morning');
    for (const page of [ann, bob]) {
      await lineOf(page, 'Hello, is anybody here?');
      await lineOf(page, '<b>Me</b>, since this morning');
      await page.locator('#here li').nth(1).waitFor();
    }
    expect(await texts(ann, '#here li')).toEqual(['ann (you)', 'bob']);
    await bob.getByLabel('What you say').pressSequentially('I am wr');
    await ann.getByText('bob is typing…').waitFor();
    await ann.screenshot({ path: `${ARTIFACTS}chat-live.png` });
    await bob.context().close();
    await ann.getByText('bob has left.').waitFor();
    await eventually('bob has gone', async () => (await texts(ann, '#here li')).length === 1);
  });

  test('says each line once and in order, though the line is cut and the server restarted', async () => {
    const [ann, bob] = [
      await enter('ann', { room: 'kitchen' }),
      await enter('bob', { room: 'kitchen', url: line.url }),
    ];
    await say(ann, 'one');
    await lineOf(bob, 'one');

    line.cut();
    await inState(bob, 'stale');
    await bob.getByText('The connection is lost, trying again.').waitFor();
    await say(ann, 'two');
    await say(bob, 'three, from the tunnel');
    await bob.getByText('Sending…').waitFor();
    await say(ann, 'four');
    await lineOf(ann, 'four');
    await bob.screenshot({ path: `${ARTIFACTS}chat-stale.png` });
    line.mend();
    await lineOf(ann, 'three, from the tunnel');
    await eventually('bob has four lines', async () => (await said(bob)).length === 4);
    await inState(bob, 'live');

    // Killed, as a crash would: what was answered is on the disk, and cookies are good as before.
    await chat.stop('SIGKILL');
    await Promise.all([ann, bob].map((page) => inState(page, 'stale')));
    await say(bob, 'five');
    chat = await start();
    await Promise.all([ann, bob].map((page) => lineOf(page, 'five')));
    await say(ann, 'six');
    await Promise.all([ann, bob].map((page) => lineOf(page, 'six')));
    await Promise.all([ann, bob].map((page) => inState(page, 'live')));
    const all = ['one', 'two', 'four', 'three, from the tunnel', 'five', 'six'];
    for (const page of [ann, bob]) {
      expect(await said(page)).toEqual(all);
      expect(await page.locator('#unsent li').count()).toBe(0);
    }
    // Who comes now has the same.
    const cid = await enter('cid', { room: 'kitchen' });
    await lineOf(cid, 'six');
    expect(await said(cid)).toEqual(all);
  });

  test('says a line once whose sender did not hear that it was said', async () => {
    const ann = await enter('ann', { room: 'kitchen' });
    const bob = await enter('bob', { room: 'kitchen', url: line.url });
    line.cutAt('heard by ann alone');
    await say(bob, 'heard by ann alone');
    await inState(bob, 'stale');
    await lineOf(ann, 'heard by ann alone');
    expect(await texts(bob, '#unsent p')).toEqual(['heard by ann alone']);
    line.mend();
    await lineOf(bob, 'heard by ann alone');
    await inState(bob, 'live');
    await eventually('nothing is unsent', async () => (await texts(bob, '#unsent p')).length === 0);
    await say(bob, 'the end');
    for (const page of [ann, bob]) {
      await lineOf(page, 'the end');
      expect((await said(page)).slice(-2)).toEqual(['heard by ann alone', 'the end']);
      expect((await said(page)).filter((text) => text === 'heard by ann alone')).toHaveLength(1);
    }
  });

  test('knows a line again by its key, and takes none that is none, whoever the client is', async () => {
    const ann = await enter('ann', { room: 'kitchen' });
    // As somebody would who has the cookie and a program of their own.
    const asked = await ann.evaluate<unknown[]>(`(async () => {
      const { connect } = await import('/client/index.js');
      const connection = connect(location.origin.replace('http', 'ws') + '/signalbox');
      const say = (text, room = 'kitchen') =>
        connection.ask('say', { room, text, key: 'a-key-of-its-own' }).then(({ n }) => n, ({ code }) => code);
      const first = await say('said twice');
      const answers = [(await say('said twice')) - first, await say(''), await say({}), await say('x'.repeat(1001))];
      answers.push(await say('hello', 'cellar'));
      answers.push(await connection.publish('room:kitchen', 'line', {}).catch(({ code }) => code));
      connection.close();
      return answers;
    })()`);
    expect(asked).toEqual([0, 'bad_request', 'bad_request', 'bad_request', 'forbidden', 'forbidden']);
    await say(ann, 'and then');
    await lineOf(ann, 'and then');
    expect((await said(ann)).filter((text) => text === 'said twice')).toHaveLength(1);
  });

  test('brings what was said without a connection to its room, though its sender has gone to another', async () => {
    const ann = await enter('ann', { room: 'kitchen' });
    const bob = await enter('bob', { room: 'kitchen', url: line.url });
    line.cut();
    await inState(bob, 'stale');
    await say(bob, 'for the kitchen');
    await bob.getByRole('link', { name: 'lobby' }).click();
    await say(bob, 'for the lobby');
    line.mend();
    await lineOf(bob, 'for the lobby');
    await lineOf(ann, 'for the kitchen');
    expect(await said(bob)).not.toContain('for the kitchen');
    expect(await said(ann)).not.toContain('for the lobby');
  });

  test('has more than a room begins with, for who asks for it', async () => {
    const ann = await enter('ann', { room: 'garden' });
    for (let n = 1; n <= 60; n += 1) await say(ann, `line ${n}`);
    await lineOf(ann, 'line 60');
    const bob = await enter('bob', { room: 'garden' });
    await lineOf(bob, 'line 60');
    expect(await said(bob)).toHaveLength(50);
    await bob.getByRole('button', { name: 'Show earlier lines' }).click();
    await lineOf(bob, 'line 1');
    expect(await said(bob)).toEqual(Array.from({ length: 60 }, (_, at) => `line ${at + 1}`));
    expect(await bob.getByRole('button', { name: 'Show earlier lines' }).isHidden()).toBe(true);
  });

  test('lets nobody into a room that there is not, or in by a name that is here', async () => {
    const ann = await enter('ann');
    await ann.goto(`${chat.url}/#room/cellar`);
    await ann.getByText('You cannot enter “cellar” (forbidden).').waitFor();
    await ann.getByRole('link', { name: 'lobby' }).click();
    await inState(ann, 'live');
    const other = await (await browser.newContext()).newPage();
    await other.goto(chat.url);
    await other.getByLabel('Your name').fill('ann');
    await other.keyboard.press('Enter');
    await other.getByText('Somebody of that name is here already.').waitFor();
    expect(await texts(other, '[role=alert]')).toEqual(['Somebody of that name is here already.']);
    await other.screenshot({ path: `${ARTIFACTS}chat-door.png` });
  });

  test('ends for all tabs of who signs out, whose cookie is good for nothing then', async () => {
    const ann = await enter('ann');
    const [cookie] = await ann.context().cookies();
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Lax' });
    const tab = await ann.context().newPage();
    await tab.goto(chat.url);
    await inState(tab, 'live');
    await ann.getByRole('button', { name: 'Sign out' }).click();
    await ann.getByLabel('Your name').waitFor();
    await inState(tab, 'closed');
    await tab.context().addCookies(cookie === undefined ? [] : [cookie]);
    await tab.reload();
    await tab.getByText('Not connected any more (unauthorized).').waitFor();
  });

  test('is used with the keyboard alone', async () => {
    const ann = await enter('ann');
    await ann.keyboard.press('Tab');
    expect(await ann.evaluate<string>('document.activeElement.textContent')).toBe('Go to the line you write');
    await ann.keyboard.press('Enter');
    await ann.keyboard.type('typed');
    await ann.keyboard.press('Enter');
    await lineOf(ann, 'typed');
    expect(await ann.evaluate<string>('document.activeElement.id')).toBe('text');
  });

  test('fits a phone: nothing is cut off sideways, and what one writes is in view', async () => {
    const ann = await enter('ann', { viewport: PHONE, deviceScaleFactor: 2 });
    await say(ann, 'https://example.com/a-word-that-is-much-longer-than-any-phone-is-wide-and-has-no-end');
    await ann.locator('#lines li', { hasText: 'a-word' }).waitFor();
    expect(await ann.evaluate<number>('document.documentElement.scrollWidth')).toBe(PHONE.width);
    const box = await ann.getByLabel('What you say').boundingBox();
    expect((box?.y ?? PHONE.height) + (box?.height ?? 0)).toBeLessThanOrEqual(PHONE.height);
    await ann.screenshot({ path: `${ARTIFACTS}chat-phone.png` });
  });

  test.each(['light', 'dark'] as const)('in %s every text is readable (AA)', async (colorScheme) => {
    const ann = await enter('ann', { viewport: DESKTOP, colorScheme });
    const bob = await enter('bob', { url: line.url, colorScheme });
    await say(bob, 'Good evening');
    await say(ann, 'And to you');
    await lineOf(ann, 'And to you');
    await lineOf(bob, 'And to you');
    expect(await faintTexts(ann)).toEqual([]);
    await ann.screenshot({ path: `${ARTIFACTS}chat-${colorScheme}.png` });
    line.cut();
    await inState(bob, 'stale');
    await say(bob, 'kept');
    await bob.getByText('Sending…').waitFor();
    expect(await faintTexts(bob)).toEqual([]);
    line.mend();
  });
});

const start = (): Promise<RunningExample> => startExample(SERVER, port, { CHAT_DATA: data });

/** Signs in as a person does, in a browser of their own, and waits until they are in the room. */
async function enter(
  name: string,
  {
    room = 'lobby',
    url = chat.url,
    ...options
  }: BrowserContextOptions & { room?: string; url?: string } = {},
): Promise<Page> {
  const context = await browser.newContext({ viewport: DESKTOP, ...options });
  context.setDefaultTimeout(12_000);
  const page = await context.newPage();
  page.on('pageerror', (error) => {
    throw error;
  });
  await eventually(`${name} comes in`, async () => {
    // Who has just gone from another test may still be there for a moment.
    await page.goto(`${url}/`);
    await page.getByLabel('Your name').fill(name);
    await page.getByRole('button', { name: 'Come in' }).click();
    return (await page.locator('#rooms').count()) === 1;
  });
  if (room !== 'lobby') await page.getByRole('link', { name: room }).click();
  await page.getByRole('heading', { name: room }).waitFor();
  await inState(page, 'live');
  return page;
}

async function say(page: Page, text: string): Promise<void> {
  await page.getByLabel('What you say').fill(text);
  await page.keyboard.press('Enter');
}

/** Waits for a line of just this text. */
const lineOf = (page: Page, text: string): Promise<void> =>
  page.locator('#lines li p').getByText(text, { exact: true }).first().waitFor();

const inState = (page: Page, state: string): Promise<void> =>
  page.locator(`body[data-state="${state}"]`).waitFor();

const texts = (page: Page, selector: string): Promise<string[]> => page.locator(selector).allTextContents();

/** What is shown as said, from the top. */
const said = (page: Page): Promise<string[]> => texts(page, '#lines li p');
