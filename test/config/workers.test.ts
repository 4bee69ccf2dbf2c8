import { describe, expect, test } from '@jest/globals';
import { workerCount } from '../../src/config/workers.ts';
import { about, loaded, problems, secret } from './loading.ts';

const redis = { JWT_SECRET: secret };
const memory = { JWT_SECRET: secret, SIGNALBOX_BROKER: 'memory' };

describe('workers', () => {
  test('is one, unless it is asked for', () => {
    expect(workerCount(loaded({ env: redis }), 8)).toBe(1);
  });

  test.each([
    ['in a variable', { env: { ...redis, SIGNALBOX_WORKERS: '3' } }],
    ['in the file', { config: { jwtSecret: secret, workers: 3 } }],
    ['in the file, as a text', { config: { jwtSecret: secret, workers: '3' } }],
  ])('is as many as are given %s', (_, given) => {
    expect(workerCount(loaded(given), 8)).toBe(3);
  });

  test('auto is one for each core, with a note that says how many', () => {
    const found = loaded({ env: { ...redis, SIGNALBOX_WORKERS: 'auto' } });
    expect(workerCount(found, 8)).toBe(8);
    expect(about(found.notes, 'workers')).toEqual([`auto is ${workerCount(found)} on this machine`]);
  });

  test('auto is no more than there may be connections', () => {
    const env = { ...redis, SIGNALBOX_WORKERS: 'auto', MAX_TOTAL_CONNECTIONS: '5' };
    expect(workerCount(loaded({ env }), 8)).toBe(5);
  });

  test.each([
    ['development mode', { SIGNALBOX_WORKERS: 'auto' }],
    ['the memory broker', { ...memory, SIGNALBOX_WORKERS: 'auto' }],
  ])('auto is one in %s', (_, env) => {
    expect(workerCount(loaded({ env }), 8)).toBe(1);
  });

  test.each([
    ['development mode', {}],
    ['the memory broker', memory],
  ])('more than one in %s is refused', (_, env) => {
    expect(problems({ env: { ...env, SIGNALBOX_WORKERS: '2' } })).toEqual([
      expect.objectContaining({
        code: 'conflict',
        key: 'workers',
        source: 'SIGNALBOX_WORKERS',
        got: expect.stringMatching(/^2 with the memory broker \(/),
      }),
    ]);
  });

  test('more than there may be connections are refused', () => {
    const env = { ...redis, SIGNALBOX_WORKERS: '3', MAX_TOTAL_CONNECTIONS: '2' };
    expect(problems({ env })).toEqual([expect.objectContaining({ code: 'conflict', key: 'workers' })]);
    expect(problems({ env: { ...env, MAX_TOTAL_CONNECTIONS: '3' } })).toEqual([]);
  });

  test.each(['0', '257', 'all', '1.5'])('%s is neither a number of them nor auto', (text) => {
    expect(problems({ env: { ...redis, SIGNALBOX_WORKERS: text } })).toEqual([
      expect.objectContaining({
        code: 'bad_value',
        key: 'workers',
        expected: 'a whole number from 1 to 256, or auto',
      }),
    ]);
  });
});
