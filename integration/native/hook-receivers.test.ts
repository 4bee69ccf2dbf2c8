import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { blocks, pageAt } from '../../test/docs/pages.ts';
import { hookKey } from '../../src/config/hook-key.ts';
import { signHook } from '../../src/decider/hook-signature.ts';
import { eventually } from '../support/eventually.ts';
import { type SignalboxProcess, startProcess } from '../support/process.ts';
import { NativeClient } from './client.ts';

const run = promisify(execFile);
const page = pageAt('docs/hooks.md');
const secret = 'whsec_3uQm5Jf1mRrU0q7cV2kZ8xw4n6bYt9LsPa0dEeHgKiM=';

const LANGUAGES = {
  js: { command: process.execPath, file: 'receiver.mjs' },
  python: { command: 'python3', file: 'receiver.py' },
};

describe.each(['js', 'python'] as const)('the receiver of docs/hooks.md in %s', (language) => {
  const { command, file } = LANGUAGES[language];
  let folder: string;
  let receiver: ChildProcess | undefined;
  let signalbox: SignalboxProcess | undefined;
  let url: string;

  /** Whether the language is on this machine: it need not be. */
  const start = async (): Promise<boolean> => {
    const isThere = await run(command, ['--version']).then(
      () => true,
      () => false,
    );
    if (!isThere) return false;
    const path = join(folder, file);
    await writeFile(path, blocks(page, language)[0] ?? '');
    receiver = spawn(command, [path], {
      env: { PATH: process.env['PATH'], PORT: '0', SIGNALBOX_HOOKS_SECRET: secret },
    });
    let output = '';
    for (const stream of [receiver.stdout, receiver.stderr]) {
      stream?.on('data', (text: Buffer) => {
        output += text.toString();
      });
    }
    const port = await eventually('it listens', () => {
      if (receiver?.exitCode !== null) throw new Error(output);
      return /listening on (\d+)/.exec(output)?.[1];
    });
    url = `http://127.0.0.1:${port}/signalbox`;
    return true;
  };

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'signalbox-receiver-'));
  });
  afterEach(async () => {
    await signalbox?.end();
    receiver?.kill();
    receiver = undefined;
    signalbox = undefined;
    await rm(folder, { recursive: true, force: true });
  });

  test('answers the clients of a server', async () => {
    if (!(await start())) return;
    signalbox = await startProcess({
      SIGNALBOX_BROKER: 'memory',
      SIGNALBOX_SUPERSET_PROTOCOL: 'off',
      ...Object.fromEntries(
        ['CONNECT', 'DISCONNECT', 'SUBSCRIBE', 'UNSUBSCRIBE', 'ASK', 'TELL', 'SNAPSHOT'].map((name) => [
          `SIGNALBOX_HOOKS_${name}`,
          url,
        ]),
      ),
      SIGNALBOX_HOOKS_SECRET: secret,
    });
    const client = await NativeClient.open(signalbox.port);
    expect(await client.ask({ type: 'subscribe', channel: 'team:6:x' })).toMatchObject({
      code: 'forbidden',
      message: 'This is not your team.',
    });
    expect(await client.ask({ type: 'subscribe', channel: 'team:5:x' })).toMatchObject({
      type: 'subscribed',
    });
    const snapshot = await client.receives(
      ({ type, channel }) => type === 'snapshot' && channel === 'team:5:x',
    );
    expect(snapshot).toMatchObject({ data: { channel: 'team:5:x', players: [] } });
    expect(await client.ask({ type: 'ask', topic: 'double', data: 21 })).toMatchObject({ data: 42 });
    expect(await client.ask({ type: 'ask', topic: 'half', data: 21 })).toMatchObject({ code: 'no_handler' });
    expect(await client.ask({ type: 'tell', topic: 'liked' })).toMatchObject({ type: 'told' });
    client.cut();
  });

  test('refuses what is not signed, is old, or comes twice', async () => {
    if (!(await start())) return;
    const body = Buffer.from('{"hook":"ask","principal":{"user":"5"},"topic":"double","data":4}');
    const post = async (headers: Readonly<Record<string, string>>): Promise<number> =>
      (await fetch(url, { method: 'POST', headers, body })).status;
    const signed = (id: string, nowMs: number, text = secret) =>
      signHook([hookKey(text) as Buffer], { id, nowMs, body });
    expect(await post({})).toBe(401);
    expect(await post(signed('a', Date.now(), 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'))).toBe(401);
    expect(await post(signed('a', Date.now() - 400_000))).toBe(401);
    expect(await post({ ...signed('a', Date.now()), 'webhook-id': 'b' })).toBe(401);
    expect(await post({ ...signed('a', Date.now()), 'webhook-timestamp': 'now' })).toBe(401);
    expect(await post(signed('a', Date.now()))).toBe(200);
    expect(await post(signed('a', Date.now()))).toBe(409);
    expect(await post(signed('b', Date.now()))).toBe(200);
  });
});
