import { describe, expect, test } from '@jest/globals';
import { Recorder } from '../../src/telemetry/recorder.ts';
import { ASK_INTERVAL_MS, measureRoundTrip } from '../../src/telemetry/round-trip.ts';
import { HeapClock, settled } from '../support/heap-clock.ts';

const setUp = () => {
  const clock = new HeapClock();
  const metrics = new Recorder();
  const questions: { answer: () => void; refuse: () => void }[] = [];
  const ask = (): Promise<void> =>
    new Promise((resolve, reject) => {
      questions.push({ answer: resolve, refuse: () => reject(new Error('away')) });
    });
  const roundTrip = measureRoundTrip({ ask, clock, metrics, elapsedMs: () => clock.now() });
  const answers = () => metrics.figures.histograms['signalbox.redis_round_trip_ms'];
  return { clock, metrics, questions, roundTrip, answers };
};

describe('the round trip to the broker', () => {
  test('is measured at once, and every five seconds after an answer', async () => {
    const { clock, questions, roundTrip, answers } = setUp();
    expect(questions).toHaveLength(1);
    clock.increment(30);
    questions[0]?.answer();
    await settled();
    expect(roundTrip.lastMs).toBe(30);
    expect(answers()?.sum).toBe(30);
    clock.increment(ASK_INTERVAL_MS);
    expect(questions).toHaveLength(2);
    // Nobody asks again while nobody has answered.
    clock.increment(10 * ASK_INTERVAL_MS);
    expect(questions).toHaveLength(2);
  });

  test('is none when there is no answer, which is counted', async () => {
    const { clock, metrics, questions, roundTrip, answers } = setUp();
    questions[0]?.refuse();
    await settled();
    expect(roundTrip.lastMs).toBeUndefined();
    expect(answers()).toBeUndefined();
    expect(metrics.figures.counters['signalbox.redis_unanswered']).toBe(1);
    clock.increment(ASK_INTERVAL_MS);
    expect(questions).toHaveLength(2);
  });

  test('is not measured any more when it was closed, whatever is answered then', async () => {
    const { clock, metrics, questions, roundTrip } = setUp();
    roundTrip.close();
    questions[0]?.refuse();
    await settled();
    clock.increment(10 * ASK_INTERVAL_MS);
    expect(questions).toHaveLength(1);
    expect(metrics.figures.counters).toEqual({});
  });
});
