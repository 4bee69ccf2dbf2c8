import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { folder } from '../config/loading.ts';
import { heard } from '../library/program.ts';
import { blocks, pageAt } from './pages.ts';
import { programBelow, Stage } from './programs.ts';

const readme = pageAt('README.md');

/** What a line of the README is, when it runs the server and ends by itself. */
const SERVER = /^(?:node dist\/src\/main\.js|npm start --) (.+)$/;

/** Lines that are run elsewhere: the files that do, and the words that do it there. */
const RUN_ELSEWHERE: Readonly<Record<string, readonly (readonly [file: string, words: string])[]>> = {
  'npm ci && npm start': [
    ['.ci/run', '"npm ci" npm ci'],
    ['integration/package.test.ts', "spawn('npm', ['start']"],
  ],
  'npm ci && npm test': [
    ['.ci/run', '"npm ci" npm ci'],
    ['.ci/run', '"npm test" jest test'],
  ],
  'npm run build': [['.ci/run', 'npm run --silent build']],
};

const inline = [...readme.matchAll(/`((?:npm|node|npx|docker|signalbox) [^`]+)`/g)].map(
  ([, line = '']) => line,
);
const commands = [
  ...new Set([...blocks(readme, 'sh').flatMap((block) => block.trim().split('\n')), ...inline]),
];

describe('README', () => {
  test('has a program that serves and answers', async () => {
    const stage = new Stage();
    try {
      await stage.run(programBelow(readme, 'In a program of yours'));
      const connection = stage.connect('token-of-ann');
      expect(await connection.ask('serverTime')).toEqual(expect.any(Number));
      const sport = connection.subscribe('sport', { lastId: '0-0' });
      expect(await heard((resolve) => sport.on('article', resolve))).toEqual({ title: 'Won' });
      // The client of the section before it is one that hears it.
      const fetch = async (): Promise<object> => ({ text: async () => 'token-of-bob' });
      await stage.run(blocks(readme, 'js')[0] ?? '', [], { fetch });
      const [, client] = stage.connections;
      // What it asks is sent after what it subscribes.
      await client?.ask('serverTime');
      const logged = heard((resolve) => stage.onConsole(resolve));
      await stage.signalboxes[0]?.publish('sport', 'article', 'Lost');
      expect(await logged).toEqual([expect.stringMatching(/^\d+-\d+$/), 'Lost']);
    } finally {
      await stage.end();
    }
  });

  test('has the two commands', () => {
    expect(commands).toEqual(expect.arrayContaining(['npm ci && npm start', 'npm ci && npm test']));
  });

  test.each(commands.filter((command) => SERVER.test(command)))('%s works', (command) => {
    const [, argument = ''] = SERVER.exec(command) ?? [];
    const main = new URL('../../src/main.ts', import.meta.url).pathname;
    const loader = new URL('../source-loader.mjs', import.meta.url).href;
    const { status, stdout } = spawnSync(
      process.execPath,
      ['--import', loader, main, ...argument.split(' ')],
      {
        cwd: folder(),
        env: { PATH: process.env['PATH'] },
        encoding: 'utf8',
        timeout: 20_000,
      },
    );
    expect([status, stdout]).toEqual([0, expect.stringMatching(/\S/)]);
  });

  test.each(commands.filter((command) => !SERVER.test(command)))('%s is run by a test', (command) => {
    const runs = RUN_ELSEWHERE[command] ?? [];
    expect(runs.length).toBeGreaterThan(0);
    for (const [file, words] of runs) expect(readFileSync(file, 'utf8')).toContain(words);
  });
});
