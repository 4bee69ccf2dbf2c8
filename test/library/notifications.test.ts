import { afterEach, describe, expect, test } from '@jest/globals';
import type { Contract } from '../../src/index.ts';
import { type Started, startProgram } from './program.ts';
import { type Frame, RawClient } from './raw-client.ts';

let started: Started<Contract>;

afterEach(async () => {
  await started.stop();
});

const COUNT = 200;

/** The notifier's way: a store that is filled when a client comes, and notifications after that. */
describe('a store that is filled at each connect, and then kept by notifications', () => {
  test('has everything once, whenever the client comes', async () => {
    const done: number[] = [];
    started = await startProgram<Contract>({
      snapshot: ({ user }, channel) => (channel === `user:${user}` ? { done: [...done] } : undefined),
    });
    const { signalbox, url } = started;
    const coming: Promise<RawClient>[] = [];
    for (let task = 0; task < COUNT; task++) {
      if (task % 20 === 10) coming.push(RawClient.open(url, 'ann'));
      // First the state, then what says that it has changed.
      done.push(task);
      await signalbox.publish('user:ann', 'task.completed', task);
    }
    for (const client of await Promise.all(coming)) {
      await client.heard(({ data }) => data === COUNT - 1 || filledWith(data).length === COUNT);
      const [welcome, filled, ...notified] = client.frames.filter(({ type }) => type !== 'ping');
      expect([welcome?.type, filled?.type]).toEqual(['welcome', 'snapshot']);
      // The position of the snapshot is asked for before the state is read: what is in both is said again.
      const all = new Set([...filledWith(filled?.['data']), ...notified.map(({ data }) => data as number)]);
      expect([...all]).toEqual(done);
      expect(notified.map(({ id }) => id)).toEqual(inOrder(notified));
    }
  });

  test('is not filled again for a client that missed little: it gets what it missed', async () => {
    started = await startProgram<Contract>({
      snapshot: () => ({ done: [] }),
    });
    const { signalbox, url } = started;
    const ann = await RawClient.open(url, 'ann');
    const id = await signalbox.publish('user:ann', 'task.completed', 1);
    const [welcome] = ann.frames as [Frame];
    const [{ epoch }] = welcome['subscriptions'] as [Frame];
    ann.socket.terminate();
    await signalbox.publish('user:ann', 'task.completed', 2);
    const again = new RawClient(url, 'ann');
    again.socket.once('open', () =>
      again.send({ type: 'hello', ref: 0, positions: { 'user:ann': id }, epoch }),
    );
    await again.heard(({ data }) => data === 2);
    expect(again.frames.map(({ type }) => type).slice(0, 2)).toEqual(['welcome', 'event']);
    expect(again.frames.map(({ type }) => type)).not.toContain('snapshot');
  });
});

const filledWith = (data: unknown): number[] => (data as { done?: number[] } | undefined)?.done ?? [];
const inOrder = (frames: readonly Frame[]): unknown[] =>
  [...new Set(frames.map(({ id }) => id as string))].toSorted((a, b) => {
    const [ms = 0, seq = 0] = a.split('-').map(Number);
    const [otherMs = 0, otherSeq = 0] = b.split('-').map(Number);
    return ms - otherMs || seq - otherSeq;
  });
