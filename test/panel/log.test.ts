import { describe, expect, test } from '@jest/globals';
import { isShown, KEPT, withLines } from '../../panel/log/buffer.ts';
import { causeOf, sentenceOf, stepOf, textOf, wordOf } from '../../panel/log/sentence.ts';
import type { StreamId } from '../../src/event/stream-id.ts';
import type { LogLine } from '../../src/inspect/api.ts';

const id = (text: string) => text as StreamId;
const delivered = (atMs: number): LogLine => ({
  atMs,
  instance: 'box-1',
  socket: 's1',
  user: 'Ann',
  kind: 'delivered',
  channel: 'news',
  id: id(`${atMs}-0`),
});

describe('what the journal says, in words', () => {
  test('a step names what changed, and not what stayed', () => {
    const step = {
      from: ['open.delivery.live', 'open.heartbeat.idle'],
      to: ['open.delivery.live', 'open.heartbeat.unanswered.awaiting'],
    };
    expect(stepOf(step)).toBe('open.heartbeat.idle → open.heartbeat.unanswered.awaiting');
    expect(stepOf({ from: ['live'], to: ['live'] })).toBe('stays as it is');
    expect(stepOf({ from: [], to: ['connecting'] })).toBe('start → connecting');
  });

  test('a cause has what may be seen of it, and how often it came', () => {
    const step = { atMs: 1, from: [], to: [] };
    expect(causeOf({ ...step, event: 'ping.due', detail: { silentMs: 12 }, times: 3 })).toBe(
      'ping.due (silentMs 12) × 3',
    );
    expect(causeOf({ ...step, event: 'page.failed', times: 1 })).toBe('page.failed');
  });

  test.each([
    [{ kind: 'joined', atMs: 1, cursor: id('5-0') }, 'joined at 5-0'],
    [{ kind: 'joined', atMs: 1, cursor: id('5-0'), isClaimed: true }, 'joined with everything up to 5-0'],
    [
      { kind: 'snapshot', atMs: 1, cursor: id('5-0') },
      'given a snapshot in the place of everything up to 5-0',
    ],
    [{ kind: 'unechoed', atMs: 1, id: id('5-0') }, 'its own publication 5-0 was not sent back to it'],
    [{ kind: 'live', atMs: 1, cursor: id('5-0') }, 'live from 5-0'],
    [{ kind: 'paused', atMs: 1, cursor: id('5-0'), reason: 'full' }, 'paused at 5-0: its transport was full'],
    [
      { kind: 'replayed', atMs: 1, after: id('4-0'), cursor: id('5-0') },
      'replayed what came after 4-0, up to 5-0',
    ],
    [
      { kind: 'gap', atMs: 1, after: id('4-0'), to: id('5-0'), reason: 'trimmed' },
      'a gap after 4-0 up to 5-0: trimmed',
    ],
    [{ kind: 'left', atMs: 1, cursor: id('5-0'), reason: 'unsubscribed' }, 'left at 5-0: unsubscribed'],
  ] as const)('a span is a sentence: %j', (span, sentence) => {
    expect(sentenceOf(span)).toBe(sentence);
  });

  test('a line has all that it was told, once', () => {
    expect(textOf(delivered(7))).toBe('7-0 · on news');
    const denial = { atMs: 1, channel: 'admin', by: 'claims', code: 'forbidden' };
    expect(textOf({ ...delivered(7), id: undefined, kind: 'denied', channel: 'admin', denial })).toBe(
      'admin refused by claims: forbidden',
    );
    expect(textOf({ ...delivered(7), id: undefined, channel: undefined, kind: 'dropped', dropped: 12 })).toBe(
      '12 lines left out, there were too many',
    );
  });

  test('a delivery says whether it was a replay', () => {
    expect(wordOf({ kind: 'delivered', enqueuedAtMs: 1, isReplay: true })).toBe('Delivered, as a replay');
    expect(wordOf({ kind: 'in_gap', after: id('1-0'), to: id('2-0'), reason: 'x', atMs: 1 })).toBe(
      'Lost in a gap',
    );
  });
});

describe('the rows of the live log', () => {
  test('the newest is first, numbers go on, and there are never more than it keeps', () => {
    const first = withLines([], [delivered(1), delivered(2)]);
    expect(first.map(({ number, line }) => [number, line.atMs])).toEqual([
      [2, 2],
      [1, 1],
    ]);
    const many = withLines(
      first,
      Array.from({ length: KEPT + 10 }, (_, at) => delivered(at + 3)),
    );
    expect([many.length, many[0]?.number, many[0]?.line.atMs]).toEqual([KEPT, KEPT + 12, KEPT + 12]);
  });

  test('kinds and words narrow it, in any case', () => {
    expect(isShown(delivered(1), { kinds: [], text: '' })).toBe(true);
    expect(isShown(delivered(1), { kinds: ['transition'], text: '' })).toBe(false);
    expect(isShown(delivered(1), { kinds: ['delivered'], text: ' NEWS ' })).toBe(true);
    expect(isShown(delivered(1), { kinds: [], text: 'ann' })).toBe(true);
    expect(isShown(delivered(1), { kinds: [], text: 'nobody' })).toBe(false);
  });
});
