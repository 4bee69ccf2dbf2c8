import { describe, expect, test } from '@jest/globals';
import { type Family, readExposition, valueOf } from '../../test/support/exposition.ts';
import { eventually } from '../support/eventually.ts';
import { type Several, startSeveral, untilReady } from './several.ts';

const ENTRY = 'integration/workers/measured.ts';
type Families = ReadonlyMap<string, Family>;

const scrapeUrl = ({ server }: Several, worker: number): string => {
  const line = server.log.findLast((entry) => entry['worker'] === worker && 'scrapePort' in entry);
  return `http://127.0.0.1:${String(line?.['scrapePort'])}/`;
};

/** What Prometheus gets when its question lands at this worker. */
const scrape = async (several: Several, worker: number): Promise<Families> =>
  readExposition(await (await fetch(scrapeUrl(several, worker))).text());

const accepted = (families: Families) => valueOf(families, 'signalbox_sockets_accepted_total');
const live = (families: Families) => valueOf(families, 'signalbox_sockets', { state: 'live' });

describe('the scrape of two workers', () => {
  test('answers for both of them, wherever it lands', async () => {
    const several = await startSeveral({}, ENTRY);
    await several.open(6);
    for (const worker of [1, 2]) {
      const families = await eventually('all are counted', async () => {
        const found = await scrape(several, worker);
        return live(found) === 6 && found;
      });
      expect(accepted(families)).toBe(6);
      // Each reads everything.
      expect(valueOf(families, 'signalbox_readers', { feed: 'superset', state: 'live' })).toBe(2);
      expect(valueOf(families, 'signalbox_ready')).toBe(1);
      expect(valueOf(families, 'signalbox_redis_round_trip_seconds_count')).toBeGreaterThanOrEqual(2);
      for (const other of ['1', '2']) {
        const bytes = valueOf(families, 'process_resident_memory_bytes', { worker: other });
        expect(bytes).toBeGreaterThan(10_000_000);
      }
    }
  });

  test('loses nothing that was counted when a worker is killed and replaced', async () => {
    const several = await startSeveral({}, ENTRY);
    await several.open(6);
    const before = await eventually('all are counted', async () => {
      const found = await scrape(several, 2);
      return live(found) === 6 && found;
    });
    expect(accepted(before)).toBe(6);
    const killed = several.pidOf(1);
    process.kill(killed, 'SIGKILL');
    const meanwhile = await eventually('it has gone', async () => {
      const found = await scrape(several, 2);
      return valueOf(found, 'signalbox_workers_lost_total') === 1 && found;
    });
    expect(accepted(meanwhile)).toBe(6);
    await eventually('it is replaced', () => several.pidOf(1) !== killed);
    await untilReady(several, 200);
    const [one] = await several.open(1);
    const after = await eventually('the next is counted', async () => {
      const found = await scrape(several, 1);
      return accepted(found) === 7 && found;
    });
    expect(live(after)).toBeLessThan(7);
    one?.drop();
  });

  test('does without a worker that is stuck: its counters stay, its levels are missing, and it is counted', async () => {
    const several = await startSeveral({}, ENTRY);
    await several.open(6);
    await eventually('all are counted', async () => live(await scrape(several, 2)) === 6);
    const stuck = several.pidOf(1);
    process.kill(stuck, 'SIGSTOP');
    try {
      const families = await scrape(several, 2);
      expect(accepted(families)).toBe(6);
      expect(live(families)).toBeLessThan(6);
      expect(valueOf(families, 'signalbox_workers_unanswered_total')).toBe(1);
    } finally {
      process.kill(stuck, 'SIGCONT');
    }
    await eventually('it is there again', async () => live(await scrape(several, 2)) === 6);
  });

  test('fails while the primary is stuck, rather than answer for a part', async () => {
    const several = await startSeveral({}, ENTRY);
    const primary = several.server.child.pid as number;
    process.kill(primary, 'SIGSTOP');
    try {
      const response = await fetch(scrapeUrl(several, 1));
      expect(response.status).toBe(503);
      expect(await response.text()).toContain('the primary did not answer');
    } finally {
      process.kill(primary, 'SIGCONT');
    }
    await eventually('it answers again', async () => (await fetch(scrapeUrl(several, 1))).status === 200);
  });
});
