import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { BrowserContext, Page } from 'playwright-core';
import { tokenWith } from '../native/client.ts';
import { eventually } from '../support/eventually.ts';
import { JWT_SECRET } from '../support/signalbox.ts';
import type { Site, SitePage } from './site.ts';

const API_KEY = 'an-api-key-of-the-browser-tests';
const EMPTY = '<!doctype html><link rel="icon" href="data:,">';

/** A server of the native protocol alone, whose clients soon know that they are live again. */
export const NATIVE_SETTINGS: Readonly<Record<string, string>> = {
  JWT_SECRET,
  SIGNALBOX_API_KEYS: API_KEY,
  SIGNALBOX_BROKER: 'memory',
  SIGNALBOX_SUPERSET_PROTOCOL: 'off',
  PING_SOCKETS_INTERVAL_MS: '1000',
};

/** What a page reports of its client. */
export interface Report {
  /** Of the connection. */
  readonly state: string;
  /** Of the subscription. */
  readonly ofChannel: string;
  readonly error?: string;
  readonly position?: { readonly lastId: string; readonly epoch: string };
  readonly heard: readonly unknown[];
  readonly list: readonly unknown[];
  readonly gaps: readonly object[];
  readonly states: readonly string[];
}

export interface Listening {
  readonly client: 'alone' | 'sse' | 'tabs';
  readonly credential?: 'cookie' | 'ticket' | 'token';
  readonly webSocketRetryMs?: number;
  readonly channel: string;
  readonly from?: Report['position'];
  readonly name?: string;
}

/** A file as a page loads it, with the built client in it. */
export async function bundled(file: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [file],
    bundle: true,
    format: 'esm',
    target: 'es2022',
    platform: 'browser',
    write: false,
  });
  return outputFiles[0]?.text ?? '';
}

export const CLIENT_PAGE = fileURLToPath(new URL('client-page.js', import.meta.url));

/** What a site serves: an empty page, and one with a script. */
export const pagesOf = (script: string): Readonly<Record<string, SitePage>> => ({
  '/empty': { type: 'text/html', text: EMPTY },
  '/page': { type: 'text/html', text: `${EMPTY}<script type="module" src="/page.js"></script>` },
  '/page.js': { type: 'text/javascript', text: script },
});

/** Opens the page in a tab of its own, connects, and waits until it has joined its channel. */
export async function openListening(context: BrowserContext, site: Site, options: Listening): Promise<Page> {
  const page = await context.newPage();
  await page.goto(`${site.url}/page`);
  await listen(page, options);
  await eventually('joined', async () => (await report(page)).ofChannel === 'live');
  return page;
}

export async function listen(page: Page, options: Listening): Promise<void> {
  await page.evaluate(`listen(${JSON.stringify({ ...options, token: tokenWith() })})`);
}

export function report(page: Page): Promise<Report> {
  return page.evaluate<Report>('report()');
}

/** What a page has heard, once that is so much. */
export async function hears(page: Page, count: number): Promise<readonly unknown[]> {
  await eventually(`${count} events`, async () => (await report(page)).heard.length >= count);
  return (await report(page)).heard;
}

/** Publishes one event after another, all with one request. */
export async function publish(server: string, channel: string, ...data: readonly unknown[]): Promise<void> {
  await post(
    server,
    data.map((one) => ({ channel, data: one })),
  );
}

/** Publishes these, a few at a time, so that some are always under way. */
export async function publishSteadily(
  server: string,
  channel: string,
  all: readonly number[],
): Promise<void> {
  for (let from = 0; from < all.length; from += 5)
    await publish(server, channel, ...all.slice(from, from + 5));
}

export async function publishSnapshot(server: string, channel: string, data: unknown): Promise<void> {
  await post(server, { channel, data, snapshot: true });
}

async function post(server: string, body: unknown): Promise<void> {
  const answer = await fetch(`${server}/publish`, {
    method: 'POST',
    headers: { authorization: `Bearer ${API_KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (answer.status !== 201) throw new Error(`not published: ${answer.status} ${await answer.text()}`);
}

/** The numbers from 0 on up to and without another. */
export const numbers = (count: number): number[] => Array.from({ length: count }, (_, at) => at);
