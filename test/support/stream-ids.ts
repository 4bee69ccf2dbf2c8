import * as fc from 'fast-check';
import { type StreamId, streamId } from '../../src/event/stream-id.ts';

/** Ids close to each other, so that any two of them have a good chance to be equal, or in one millisecond. */
export const closeIds: fc.Arbitrary<StreamId> = fc
  .tuple(fc.nat({ max: 12 }), fc.nat({ max: 3 }))
  .map(([ms, seq]) => streamId(ms + 5, seq));

/** Ids in strictly increasing order, with steps of a sequence, of milliseconds, and over a power of ten. */
export function increasingIds(
  options: { minLength?: number; maxLength?: number } = {},
): fc.Arbitrary<StreamId[]> {
  return fc.array(fc.constantFrom<[number, number]>([0, 1], [0, 2], [1, 0], [3, 0]), options).map((steps) => {
    let ms = 5;
    let seq = 0;
    return steps.map(([moreMs, moreSeq]) => {
      seq = moreMs > 0 ? 0 : seq + moreSeq;
      ms += moreMs;
      return streamId(ms, seq);
    });
  });
}
