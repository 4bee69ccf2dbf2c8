import { describe, expect, test } from '@jest/globals';
import { createLogLimit } from '../../src/telemetry/log-limit.ts';

describe('a log limit', () => {
  const limited = () => {
    const clock = { nowMs: 1_000_000 };
    const written: [string, number][] = [];
    const limit = createLogLimit({ now: () => clock.nowMs });
    const log = (kind: string): void => limit.log(kind, (suppressed) => written.push([kind, suppressed]));
    return { clock, written, log };
  };

  test('lets one line of each kind through per minute, and says how many it kept back', () => {
    const { clock, written, log } = limited();
    for (let entries = 0; entries < 5489; entries++) log('not_json');
    log('no_channel');
    clock.nowMs += 59_999;
    log('not_json');
    clock.nowMs += 1;
    log('not_json');
    log('no_channel');
    expect(written).toEqual([
      ['not_json', 0],
      ['no_channel', 0],
      ['not_json', 5489],
      ['no_channel', 0],
    ]);
  });

  test('does not fall silent when the clock is set back', () => {
    const { clock, written, log } = limited();
    log('not_json');
    clock.nowMs -= 3_600_000;
    log('not_json');
    expect(written).toHaveLength(2);
  });

  test.each(['__proto__', 'constructor'])('takes %s for a kind like any other', (kind) => {
    const { written, log } = limited();
    log(kind);
    log(kind);
    expect(written).toEqual([[kind, 0]]);
  });
});
