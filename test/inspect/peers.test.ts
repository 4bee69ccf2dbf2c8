import { afterEach, describe, expect, test } from '@jest/globals';
import { createMemoryBroker } from '../../src/broker/memory/memory-broker.ts';
import type { Broker } from '../../src/broker/ports.ts';
import { systemClock } from '../../src/clock.ts';
import { Peers, type PeersDeps } from '../../src/inspect/peers.ts';
import type { Question } from '../../src/inspect/questions.ts';
import { HeapClock } from '../support/heap-clock.ts';

describe('peers', () => {
  const ended: (() => unknown)[] = [];
  afterEach(async () => {
    for (const end of ended.splice(0)) await end();
  });
  const OVERVIEW: Question = { kind: 'overview' };
  let ids = 0;

  const brokerOf = (): Broker => {
    const broker = createMemoryBroker({
      clock: systemClock,
      history: { maxLength: 10, firehoseMaxLength: 10, maxAgeSeconds: 60 },
    });
    ended.push(() => broker.close());
    return broker;
  };
  const peerOf = (broker: Broker, id: string, more: Partial<PeersDeps> = {}): Peers => {
    const peers = new Peers({
      id,
      line: broker.log,
      prefix: 'signalbox:',
      living: async () => ['a', 'b', 'c'],
      answer: async (asked) => ({ by: id, asked: asked.kind }),
      heard: () => {},
      clock: systemClock,
      random: Math.random,
      newId: () => `question-${ids++}`,
      onAbsent: (error) => {
        throw error;
      },
      onFailed: () => {},
      ...more,
    });
    peers.start();
    ended.unshift(() => peers.close());
    return peers;
  };
  /** Until their subscriptions stand. */
  const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));

  test('are all asked, and each answers for itself', async () => {
    const broker = brokerOf();
    const [a] = ['a', 'b', 'c'].map((id) => peerOf(broker, id));
    await settled();
    const { answers, unanswered } = await (a as Peers).ask<{ by: string }>(OVERVIEW);
    expect(answers.map(({ by }) => by).toSorted()).toEqual(['a', 'b', 'c']);
    expect(unanswered).toEqual([]);
  });

  test('that live and do not answer are named when the time is over', async () => {
    const broker = brokerOf();
    const clock = new HeapClock();
    const a = peerOf(broker, 'a', { clock });
    peerOf(broker, 'b', { answer: () => new Promise(() => {}) });
    await settled();
    const asked = a.ask(OVERVIEW);
    await settled();
    clock.increment(2_000);
    expect(await asked).toEqual({ answers: [{ by: 'a', asked: 'overview' }], unanswered: ['b', 'c'] });
  });

  test('are not many where there is no line, and not known where the broker is away', async () => {
    const broker = brokerOf();
    const alone = peerOf(broker, 'a', { line: undefined });
    expect(await alone.ask(OVERVIEW)).toEqual({ answers: [{ by: 'a', asked: 'overview' }], unanswered: [] });
    const cut = peerOf(broker, 'a', { living: () => Promise.reject(new Error('away')) });
    const { answers, unanswered } = await cut.ask(OVERVIEW);
    expect(answers).toHaveLength(1);
    expect(unanswered).toEqual([expect.stringContaining('the broker cannot be asked')]);
  });

  test('are not waited for longer where the broker does not even say who there is', async () => {
    const broker = brokerOf();
    const clock = new HeapClock();
    const hung = peerOf(broker, 'a', { clock, living: () => new Promise(() => {}) });
    const asked = hung.ask(OVERVIEW);
    await settled();
    clock.increment(2_000);
    expect((await asked).unanswered).toEqual([expect.stringContaining('the broker cannot be asked')]);
  });

  test('that fail to answer, or have nothing to say, are no answer; nor is a question that nobody knows', async () => {
    const broker = brokerOf();
    const failures: unknown[] = [];
    const a = peerOf(broker, 'a', { answer: async () => undefined });
    peerOf(broker, 'b', {
      answer: () => Promise.reject(new Error('a bug')),
      onFailed: (error) => failures.push(error),
    });
    peerOf(broker, 'c');
    await settled();
    const unknown = { kind: 'colour' } as unknown as Question;
    expect(await a.ask(OVERVIEW)).toEqual({ answers: [{ by: 'c', asked: 'overview' }], unanswered: [] });
    expect(failures).toHaveLength(1);
    expect(await a.ask(unknown)).toEqual({ answers: [], unanswered: [] });
  });

  test('hear the lines of what they watch, and nothing that is no message', async () => {
    const broker = brokerOf();
    const heard: unknown[] = [];
    peerOf(broker, 'a', { heard: (watch, line) => heard.push([watch, line]) });
    const b = peerOf(broker, 'b');
    await settled();
    for (const text of ['', 'null', '{}', '[1', '{"from":1,"id":2,"kind":"asked"}']) {
      await broker.log.publish('signalbox:$ask', Buffer.from(text));
      await broker.log.publish('signalbox:$answer:a', Buffer.from(text));
    }
    b.sendLine('a', 'watch-1', { kind: 'opened' });
    await settled();
    expect(heard).toEqual([['watch-1', { kind: 'opened' }]]);
  });
});
