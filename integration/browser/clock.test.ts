import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { freePort } from '../support/free-port.ts';
import { redisUrl, uniquePrefix } from '../support/redis.ts';
import { type SignalboxProcess, startProcess } from '../support/process.ts';
import { launchChromium } from './chromium.ts';
import { type RunningVite, startVite, viteBuild } from './vite.ts';

const EXAMPLE = 'examples/clock-svelte';

describe('examples/clock-svelte', () => {
  const channel = `${uniquePrefix()}clock`;
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-clock-'));
  let browser: Browser;
  let publisher: ChildProcess;
  let server: SignalboxProcess;
  let vite: RunningVite;
  let env: Record<string, string>;

  beforeAll(async () => {
    viteBuild(EXAMPLE, folder);
    env = {
      PORT: String(await freePort()),
      REDIS_URL: redisUrl(),
      SIGNALBOX_SUPERSET_PROTOCOL: 'off',
      SIGNALBOX_NATIVE_PREFIX: `${channel}:`,
      SIGNALBOX_DRAIN_MS: '0',
      SIGNALBOX_ROUTES: JSON.stringify([{ path: '^/whattimeisit$', channel, source: 'pubsub' }]),
    };
    server = await startProcess(env);
    publisher = spawn(process.execPath, ['examples/clock/clock.js'], {
      env: { PATH: process.env['PATH'], REDIS_URL: redisUrl(), CHANNEL: channel },
    });
    vite = await startVite(['preview', EXAMPLE, '--outDir', folder], await freePort(), {
      CLOCK_URL: `http://127.0.0.1:${server.port}`,
    });
    browser = await launchChromium();
  }, 60_000);

  afterAll(async () => {
    await browser.close();
    await vite.stop();
    publisher.kill();
    await server.end('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });

  test('tells the time, and goes on after the server was restarted', async () => {
    const page = await browser.newPage({ colorScheme: 'dark' });
    await page.goto(vite.url);
    const time = page.locator('time');
    await time.filter({ hasText: 'GMT' }).waitFor();
    await page.screenshot({ path: 'artifacts/clock-svelte.png' });
    // Vite answers for a server that is down, as any proxy does: at once, and not with 200.
    const refused = page.waitForResponse((response) => !response.ok());
    await server.end('SIGKILL');
    await page.getByRole('status').filter({ hasText: 'The line is down' }).waitFor();
    await refused;
    server = await startProcess(env);
    await page.getByRole('status').filter({ hasText: 'As it is told' }).waitFor();
    const before = await time.textContent();
    await time.filter({ hasNotText: before ?? '' }).waitFor();
    expect(await time.textContent()).toMatch(/GMT$/);
  }, 60_000);
});
