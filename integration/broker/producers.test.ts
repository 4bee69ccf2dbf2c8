import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createRedisBroker } from '../../src/broker/redis/redis-broker.ts';
import { nativeFieldsOf } from '../../src/event/native-entry.ts';
import { ZERO_ID } from '../../src/event/stream-id.ts';
import { blocks, pageAt } from '../../test/docs/pages.ts';
import { type OwnRedis, startRedis } from '../support/redis.ts';

const run = promisify(execFile);
const page = pageAt('docs/redis.md');

/** Whether a command of the page can be tried on this machine. */
const succeeds = (command: string, ...args: string[]) =>
  run(command, args).then(
    () => true,
    () => false,
  );

describe('what the page on native channels tells producers', () => {
  let redis: OwnRedis;
  let folder: string;
  beforeAll(async () => {
    redis = await startRedis();
    folder = await mkdtemp(join(tmpdir(), 'signalbox-producers-'));
    await writeFile(join(folder, 'publish-events.lua'), blocks(page, 'lua')[0] ?? '');
  });
  afterAll(async () => {
    await redis.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const published = async () => {
    const broker = createRedisBroker({
      address: { url: redis.url },
      streamPrefix: 'unused-',
      nativePrefix: 'signalbox:',
      history: { maxLength: 1000, firehoseMaxLength: 10_000 },
    });
    const { entries } = await broker.native.range('sport', ZERO_ID, undefined, 100);
    const snapshot = await broker.native.snapshot('sport');
    await broker.close();
    const events = entries.map((entry) => {
      const { topic, data } = nativeFieldsOf(entry);
      return [`${topic}`, JSON.parse(`${data}`)];
    });
    return { events, snapshot };
  };
  const event = ['article', { title: 'Nil all' }];

  test('redis-cli publishes, and under a key once', async () => {
    // Wherever Redis is a container there need be no client beside it.
    if (!(await succeeds('redis-cli', '--version'))) return;
    const lines = (blocks(page, 'sh')[0] ?? '').replaceAll(
      'redis-cli',
      `redis-cli -h ${redis.host} -p ${redis.port}`,
    );
    for (let time = 0; time < 2; time += 1) {
      const { stdout } = await run('sh', ['-ec', lines], { cwd: folder });
      expect(stdout.trim().split('\n')).toEqual([
        expect.stringMatching(/\d-\d+/),
        expect.stringMatching(/\d-\d+/),
      ]);
    }
    expect((await published()).events).toEqual([event, event, event]);
  });

  test('Python publishes', async () => {
    if (!(await succeeds('python3', '-c', 'import redis'))) return;
    const before = (await published()).events;
    const program = (blocks(page, 'python')[0] ?? '').replace(
      'redis.Redis()',
      `redis.Redis(host="${redis.host}", port=${redis.port})`,
    );
    await run('python3', ['-c', program], { cwd: folder });
    const { events, snapshot } = await published();
    expect(events).toEqual([...before, event]);
    expect(snapshot).toMatchObject({ topic: 'article' });
  });
});
