import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { answerCounter } from '../../../bench/inlets/http.ts';
import { Unanswered } from '../../../bench/inlets/unanswered.ts';

const ANSWER = 'HTTP/1.1 201 Created\r\nContent-Length: 20\r\n\r\nqueued messages: 10\r\n';

const asked = (count: number): Unanswered => {
  const unanswered = new Unanswered();
  for (let at = 0; at < count; at += 1) unanswered.asked();
  return unanswered;
};

describe('answers to what was posted', () => {
  test('are counted wherever what comes is cut', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat({ max: ANSWER.length * 3 }), { maxLength: 8 }), async (cuts) => {
        const unanswered = asked(3);
        const count = answerCounter(unanswered);
        const all = ANSWER.repeat(3);
        const edges = [0, ...cuts.toSorted((a, b) => a - b), all.length];
        for (const [at, edge] of edges.slice(1).entries()) count(all.slice(edges[at], edge));
        expect(unanswered.count).toBe(0);
        await unanswered.none();
      }),
    );
  });

  test('that refuse end the waiting', async () => {
    const unanswered = asked(2);
    const waiting = unanswered.none();
    answerCounter(unanswered)('HTTP/1.1 500 Internal Server Error\r\n\r\n');
    await expect(waiting).rejects.toThrow('an event was refused: HTTP/1.1 500');
  });
});
