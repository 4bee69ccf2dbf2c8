import { describe, expect, test } from '@jest/globals';
import { RECORDED } from '../journal/recorded.ts';
import { ran } from './running.ts';

const stdin = JSON.stringify(RECORDED);

describe('signalbox replay', () => {
  test('prints when what came, and which states were entered', async () => {
    const { exitCode, stdout, stderr } = await ran('replay', ['-'], { stdin });
    expect(exitCode).toBe(0);
    const lines = stdout.trimEnd().split('\n');
    expect(lines).toHaveLength(RECORDED.steps.length);
    expect(lines[0]).toMatch(/^ *\+0\.048 s {2}socket\.opened +open\.delivery\.replaying\.catchingUp, /);
    expect(stdout).toContain('open.heartbeat.unanswered.stale');
    expect(stderr).toContain(`the same states after each of ${RECORDED.steps.length} steps`);
  });

  test('prints each step as JSON with --json', async () => {
    const { stdout } = await ran('replay', ['-', '--json'], { stdin });
    const [first] = stdout.split('\n').map((line) => JSON.parse(line || 'null') as unknown);
    expect(first).toEqual({
      atMs: 48,
      event: 'socket.opened',
      recorded: RECORDED.steps[0]?.states,
      replayed: RECORDED.steps[0]?.states,
    });
  });

  test('ends with 1 where a state differs, and says which, and where', async () => {
    const steps = RECORDED.steps.with(1, { ...RECORDED.steps[1], states: ['closed'] } as never);
    const { exitCode, stdout, stderr } = await ran('replay', ['-'], {
      stdin: JSON.stringify({ ...RECORDED, steps }),
    });
    expect(exitCode).toBe(1);
    expect(stdout.trimEnd().split('\n')).toHaveLength(2);
    expect(stderr).toContain('step 2 differs: after delivery.caughtUp');
    expect(stderr).toContain('the recording is in closed');
  });

  test.each([
    ['no recording', '{"version":1}', 1, 'is no recording'],
    ['no JSON', '{', 1, 'is no recording'],
  ])('ends with 1 where there is %s', async (_, text, code, words) => {
    const { exitCode, stderr } = await ran('replay', ['-'], { stdin: text });
    expect([exitCode, stderr]).toEqual([code, expect.stringContaining(words)]);
  });

  test('ends with 1 where there is no file, and with 64 where none is named', async () => {
    const missing = await ran('replay', ['nowhere.json']);
    expect([missing.exitCode, missing.stderr]).toEqual([1, expect.stringContaining('cannot be read')]);
    expect((await ran('replay', [])).exitCode).toBe(64);
  });
});
