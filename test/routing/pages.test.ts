import { describe, expect, test } from '@jest/globals';
import type { Page } from '../../src/broker/ports.ts';
import { type StreamId, ZERO_ID } from '../../src/event/stream-id.ts';
import { Pages } from '../../src/routing/pages.ts';
import { entryOf, idsOf } from '../support/events.ts';
import { settled } from '../support/heap-clock.ts';

interface Read {
  readonly channel: string;
  readonly after: StreamId;
  answer(page: Page): void;
  fail(error: Error): void;
}

const [first, second] = idsOf(1, 2) as [StreamId, StreamId];
const EMPTY: Page = { entries: [], trimmed: false };

/** Pages of a log that answers when the test says. */
function createPages(maxReads = 2) {
  const reads: Read[] = [];
  const facts: string[] = [];
  const pages = new Pages({
    log: {
      range: (channel, after) => new Promise((answer, fail) => reads.push({ channel, after, answer, fail })),
    },
    maxReads,
    onRequested: (channel) => void facts.push(`+${channel}`),
    onSettled: (channel) => void facts.push(`-${channel}`),
  });
  const read = (channel: string, after = ZERO_ID, end: StreamId | 'all' = second, readAt = second) =>
    pages.read(channel, after, end === 'all' ? undefined : end, 200, readAt);
  return { reads, facts, read };
}

describe('pages', () => {
  test('are shared by those who want the same range of a channel at once', async () => {
    const { reads, read } = createPages();
    const [one, other] = [read('c'), read('c')];
    expect(reads).toHaveLength(1);
    reads[0]?.answer(EMPTY);
    expect(await one).toBe(await other);
  });

  test('are not shared with another channel, range or position', () => {
    const { reads, read } = createPages(10);
    void read('c');
    void read('d');
    void read('c', first);
    void read('c', ZERO_ID, first);
    void read('c', ZERO_ID, 'all');
    void read('c', ZERO_ID, second, first);
    expect(reads).toHaveLength(6);
  });

  test('are read anew once they have been answered', async () => {
    const { reads, read } = createPages();
    const one = read('c');
    reads[0]?.answer(EMPTY);
    await one;
    void read('c');
    expect(reads).toHaveLength(2);
  });

  test('are read so many at once and not more; the others in the order in which they were asked for', async () => {
    const { reads, read } = createPages(2);
    for (const channel of ['a', 'b', 'c', 'd', 'e']) void read(channel);
    const asked = () => reads.map(({ channel }) => channel);
    expect(asked()).toEqual(['a', 'b']);
    reads[1]?.answer(EMPTY);
    await settled();
    expect(asked()).toEqual(['a', 'b', 'c']);
    reads[0]?.answer(EMPTY);
    reads[2]?.answer(EMPTY);
    await settled();
    expect(asked()).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  test('are copies: what is kept for an entry does not last as long as a log keeps it', async () => {
    const { reads, read } = createPages();
    const page = read('c');
    const kept = entryOf(first);
    reads[0]?.answer({ entries: [kept], trimmed: false });
    const [entry] = (await page).entries;
    expect(entry).toEqual(kept);
    expect(entry).not.toBe(kept);
  });

  test('one that fails fails for everybody who shares it, and gives its turn to the next', async () => {
    const { reads, read } = createPages(1);
    const outcomes = Promise.allSettled([read('a'), read('a'), read('b')]);
    reads[0]?.fail(new Error('the broker is away'));
    await settled();
    reads[1]?.answer(EMPTY);
    expect((await outcomes).map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled']);
  });

  test('after any number of failures as many are read at once as before', async () => {
    const { reads, read } = createPages(2);
    for (let round = 0; round < 5; round += 1) {
      const failing = Promise.allSettled([read('a'), read('b'), read('c')]);
      for (let at = round * 3; at < (round + 1) * 3; at += 1) {
        reads[at]?.fail(new Error('away'));
        await settled();
      }
      await failing;
    }
    for (const channel of ['a', 'b', 'c']) void read(channel);
    expect(reads).toHaveLength(15 + 2);
  });

  test('say for which channel one is being read, from its turn to its end', async () => {
    const { reads, facts, read } = createPages(1);
    void read('a');
    const failing = read('b').catch(() => {});
    expect(facts).toEqual(['+a']);
    reads[0]?.answer(EMPTY);
    await settled();
    expect(facts).toEqual(['+a', '-a', '+b']);
    reads[1]?.fail(new Error('away'));
    await failing;
    expect(facts).toEqual(['+a', '-a', '+b', '-b']);
  });
});
