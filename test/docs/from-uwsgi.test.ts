import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { loaded, secret } from '../config/loading.ts';
import { blocks, pageAt, rowsBelow } from './pages.ts';

const page = pageAt('docs/from-uwsgi-sse-offload.md');

/** The file and the title that the last cell of a row names. */
const testOf = (cell: string): readonly [file: string, title: string] => {
  const [, file = '', title = ''] = /^`([^`]+)`: (.+)$/.exec(cell) ?? [];
  return [file, title];
};

describe('docs/from-uwsgi-sse-offload.md', () => {
  test.each(['What each option becomes', 'What is different'])(
    'names a test that there is in each row below "%s"',
    (heading) => {
      const rows = rowsBelow(page, heading).filter((cells) => cells[2] !== 'tested in');
      expect(rows.length).toBeGreaterThan(6);
      const missing = rows
        .map((cells) => testOf(cells.at(-1) ?? ''))
        .filter(([file, title]) => title === '' || !readFileSync(file, 'utf8').includes(`'${title}'`));
      expect(missing).toEqual([]);
    },
  );

  test('has routes that the server takes', () => {
    const configs = blocks(page, 'json').map((text) => JSON.parse(text) as object);
    expect(configs.length).toBeGreaterThan(0);
    for (const config of configs) {
      expect(loaded({ env: { JWT_SECRET: secret }, config }).config.routes).toHaveLength(1);
    }
  });

  test('has every option of the plugin and of its headers', () => {
    const options = rowsBelow(page, 'What each option becomes')
      .map(([option = '']) => option)
      .join('\n');
    for (const name of [
      'sse:',
      'sseraw:',
      'server=',
      'subscribe=',
      'buffer_size=',
      'collect-header',
      'pull-header',
    ]) {
      expect(options).toContain(name);
    }
  });
});
