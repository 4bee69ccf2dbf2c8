import { spawnSync } from 'node:child_process';
import { describe, expect, test } from '@jest/globals';

describe('package-lock.json', () => {
  test('names no registry, and has an entry for every platform of every optional binary', () => {
    const { status, stderr } = spawnSync(process.execPath, ['scripts/lock-platforms.mjs', '--check'], {
      encoding: 'utf8',
    });
    expect(stderr).toBe('');
    expect(status).toBe(0);
  });
});
