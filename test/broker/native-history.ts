import * as fc from 'fast-check';
import type { Page } from '../../src/broker/ports.ts';
import { previousIdOf } from '../../src/event/native-entry.ts';
import { compareIds, type StreamId, streamId, ZERO_ID } from '../../src/event/stream-id.ts';
import { idOf, type NativeLogUnderTest } from './native-under-test.ts';

const CHANNELS = ['a', 'b', 'c'];

type Step =
  | { readonly publish: readonly string[] }
  | { readonly trim: string; readonly keep: number }
  | { readonly read: string; readonly after: number; readonly end: number | null; readonly count: number };

const channel = fc.constantFrom(...CHANNELS);
const publishing = fc.record({ publish: fc.array(channel, { minLength: 1, maxLength: 5 }) });
const trimming = fc.record({ trim: channel, keep: fc.nat({ max: 4 }) });
const reading = fc.record({ read: channel, after: fc.nat(), end: fc.option(fc.nat()), count: fc.nat(4) });

/** What may happen to three channels: batches over them, trimming, and pages from any position to any other. */
export const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: publishing },
    { weight: 1, arbitrary: trimming },
    { weight: 2, arbitrary: reading },
  ),
  { maxLength: 40 },
);

/** A page as far as there is a law for it. */
interface Seen {
  readonly ids: readonly StreamId[];
  readonly previousIds: readonly StreamId[];
  readonly trimmed: boolean;
}

const seen = ({ entries, trimmed }: Page): Seen => ({
  ids: entries.map(({ id }) => id),
  previousIds: entries.map(previousIdOf),
  trimmed,
});

/** All that was ever published to a channel, and how many of these are gone. */
class Channel {
  readonly ids: StreamId[] = [];
  #gone = 0;

  trim(keep: number): void {
    this.#gone = Math.max(this.#gone, this.ids.length - keep);
  }

  page(after: StreamId, end: StreamId | undefined, count: number): Seen {
    const isIn = (id: StreamId) =>
      compareIds(id, after) > 0 && (end === undefined || compareIds(id, end) <= 0);
    const ids = this.ids.slice(this.#gone).filter(isIn).slice(0, count);
    return {
      ids,
      previousIds: ids.map((id) => this.ids[this.ids.indexOf(id) - 1] ?? ZERO_ID),
      trimmed: this.ids.slice(0, this.#gone).some((id) => compareIds(id, after) > 0),
    };
  }
}

/** Does all this to a log; gives the pages that it answered, and those that were due. */
export async function follow(subject: NativeLogUnderTest, doing: readonly Step[]) {
  const channels = new Map(CHANNELS.map((name) => [name, new Channel()]));
  const of = (name: string) => channels.get(name) as Channel;
  const start = streamId(Date.now() - 3_600_000, 0);
  const [came, due]: [Seen[], Seen[]] = [[], []];
  for (const [at, step] of doing.entries()) {
    if ('publish' in step) {
      const log = at % 2 === 0 ? subject.log : subject.other;
      const outcomes = await log.publishEvents(
        step.publish.map((name) => ({ channel: name, data: Buffer.from('1') })),
      );
      for (const [index, name] of step.publish.entries()) of(name).ids.push(idOf(outcomes[index]));
    } else if ('trim' in step) {
      await subject.trim(step.trim, step.keep);
      of(step.trim).trim(step.keep);
    } else {
      const positions = [start, ...[...channels.values()].flatMap(({ ids }) => ids).toSorted(compareIds)];
      const from = step.after % positions.length;
      const after = positions[from] as StreamId;
      const end = step.end === null ? undefined : positions.slice(from + 1)[step.end % positions.length];
      came.push(seen(await subject.log.range(step.read, after, end, step.count + 1)));
      due.push(of(step.read).page(after, end, step.count + 1));
    }
  }
  return { came, due };
}
