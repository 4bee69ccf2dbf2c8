import { describe, expect, test } from '@jest/globals';
import type { StreamId } from '../../../src/event/stream-id.ts';
import { cancelled, type Kept } from '../../../src/protocol/superset/replay.ts';
import { createSeparateReplay } from '../../../src/routing/separate-replay.ts';
import { createResumeAfterLastId } from '../../faults/resume-after-last-id.ts';
import { createResumeFromMillisecond } from '../../faults/resume-from-millisecond.ts';
import { type Interleaving, liveThrough } from '../../support/two-streams.ts';

const SLACK_MS = 5000;

/** How many clients of `seeds` lost, doubled or disordered something, and the first seed that did. */
async function tally(seeds: number, createReplay: Interleaving['createReplay']) {
  const tallied = { lost: 0, doubled: 0, disordered: 0, firstSeed: undefined as number | undefined };
  for (let seed = 1; seed <= seeds; seed++) {
    const { lost, doubled, disordered } = await liveThrough({ seed, slackMs: SLACK_MS, createReplay });
    tallied.lost += lost.length;
    tallied.doubled += doubled.length;
    tallied.disordered += disordered.length;
    if (lost.length + doubled.length + disordered.length > 0) tallied.firstSeed ??= seed;
  }
  return tallied;
}

describe("a replay from Superset's two streams", () => {
  describe('an event whose two ids straddle `last_id` is lost', () => {
    test('over 20,000 interleavings nothing is lost, and nothing is doubled outside the slack', async () => {
      expect(await tally(20_000, createSeparateReplay)).toEqual({
        lost: 0,
        doubled: 0,
        disordered: 0,
        firstSeed: undefined,
      });
    }, 60_000);

    test('the same test fails when the replay resumes strictly after last_id', async () => {
      const { lost, doubled } = await tally(2000, createResumeAfterLastId);
      expect(lost).toBeGreaterThan(100);
      expect(doubled).toBeGreaterThan(100);
    });

    test('the same test fails when it resumes from the millisecond of last_id, without slack', async () => {
      expect((await tally(2000, createResumeFromMillisecond)).lost).toBeGreaterThan(100);
    });
  });
});

describe('what the window holds too', () => {
  const kept = (id: string, payload: string): Kept => ({ id: id as StreamId, payload: Buffer.from(payload) });

  test('is cancelled under its id of the channel stream', () => {
    const found = cancelled([kept('7-0', 'a')], [kept('3-0', 'b'), kept('5-0', 'a')]);
    expect([...found]).toEqual(['5-0']);
  });

  test('cancels one entry for each event, the newest first, when payloads are the same', () => {
    const tail = [kept('1-0', 'a'), kept('2-0', 'a'), kept('3-0', 'a')];
    expect([...cancelled([kept('4-0', 'a'), kept('5-0', 'a')], tail)]).toEqual(['3-0', '2-0']);
  });

  test('never cancels an entry of a later millisecond', () => {
    expect([...cancelled([kept('4-0', 'a')], [kept('5-0', 'a')])]).toEqual([]);
  });

  test('may cancel an entry of the same millisecond with a larger sequence', () => {
    expect([...cancelled([kept('4-0', 'a')], [kept('4-9', 'a')])]).toEqual(['4-9']);
  });

  test('leaves to an older event what was too late for a newer one out of reach', () => {
    const tail = [kept('1-0', 'a'), kept('9-0', 'a')];
    expect([...cancelled([kept('3-0', 'a'), kept('4-0', 'a')], tail)]).toEqual(['1-0']);
  });
});
