import { describe, expect, test } from '@jest/globals';
import { drain } from '../../src/actors/drain.ts';
import type { Clock } from '../../src/clock.ts';
import { type Core, createCore } from '../support/core.ts';

async function opened(count: number): Promise<Core & { readonly closedAtMs: number[] }> {
  const core = createCore();
  await core.start();
  const startMs = core.clock.now();
  const closedAtMs: number[] = [];
  for (let at = 0; at < count; at += 1) {
    const { transport } = core.open();
    const close = transport.close.bind(transport);
    transport.close = (code, reason) => {
      closedAtMs.push(core.clock.now() - startMs);
      close(code, reason);
    };
  }
  return { ...core, closedAtMs };
}

describe('a drain', () => {
  test('is over at once when nobody is there', async () => {
    const { actors, clock } = await opened(0);
    await drain(actors.sockets, clock, 5_000);
    expect(actors.sockets.size).toBe(0);
  });

  test('spreads the closes evenly over its time', async () => {
    const { actors, clock, closedAtMs } = await opened(1_000);
    const drained = drain(actors.sockets, clock, 5_000);
    await clock.advance(5_000);
    await drained;
    expect(closedAtMs).toHaveLength(1_000);
    for (let fromMs = 0; fromMs < 5_000; fromMs += 500) {
      const share = closedAtMs.filter((ms) => ms >= fromMs && ms < fromMs + 500);
      expect(share).toHaveLength(100);
    }
  });

  test('keeps its time on a machine whose rounds take longer than they should', async () => {
    const { actors, clock, closedAtMs } = await opened(1_000);
    // Each timer fires four times as late.
    const late: Clock = {
      now: clock.now,
      setTimeout: (run: () => void, ms: number) => clock.setTimeout(run, ms * 4),
      clearTimeout: (timer) => clock.clearTimeout(timer),
    };
    const drained = drain(actors.sockets, late, 5_000);
    await clock.advance(5_200);
    await drained;
    expect(closedAtMs).toHaveLength(1_000);
    expect(Math.max(...closedAtMs)).toBeLessThanOrEqual(5_000);
  });

  test('closes everybody at once when it has no time', async () => {
    const { actors, clock, closedAtMs } = await opened(10);
    await drain(actors.sockets, clock, 0);
    expect(closedAtMs).toEqual(Array.from({ length: 10 }, () => 0));
  });

  test('closes as going away, and the others are served meanwhile', async () => {
    const core = await opened(0);
    const [first, last] = [core.open(), core.open()];
    const drained = drain(core.actors.sockets, core.clock, 5_000);
    await core.clock.advance(0);
    expect(first?.transport.closedWith).toEqual({ code: 1000, reason: 'drain' });
    expect(last?.transport.closedWith).toBeUndefined();
    await core.publish('c');
    last?.transport.flush();
    expect(last?.received).toHaveLength(1);
    await core.clock.advance(5_000);
    await drained;
  });

  test('begins with the first at once: one alone waits for nothing', async () => {
    const core = await opened(0);
    core.open();
    await drain(core.actors.sockets, core.clock, 5_000);
    expect(core.actors.sockets.size).toBe(0);
  });

  test('waits for the last socket, which its own close timeout ends', async () => {
    const core = await opened(0);
    const { transport } = core.open();
    transport.isConfirming = false;
    let isOver = false;
    const drained = drain(core.actors.sockets, core.clock, 100).then(() => {
      isOver = true;
    });
    await core.clock.advance(1_000);
    expect([isOver, transport.closedWith?.reason]).toEqual([false, 'drain']);
    await core.clock.advance(2_000);
    await drained;
    expect(isOver).toBe(true);
  });

  test('does not wait when its sockets leave by themselves', async () => {
    const core = await opened(0);
    const clients = [core.open(), core.open()];
    const drained = drain(core.actors.sockets, core.clock, 5_000);
    for (const { transport } of clients) transport.cut();
    await core.clock.advance(50);
    await drained;
    expect(core.actors.sockets.size).toBe(0);
  });
});
