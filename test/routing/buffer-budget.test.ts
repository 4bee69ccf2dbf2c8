import { describe, expect, test } from '@jest/globals';
import { BufferBudget } from '../../src/routing/buffer-budget.ts';

const budgetOf = (maxSocketBufferBytes: number) =>
  new BufferBudget({ maxSocketBufferBytes, maxTotalBufferBytes: 10_000_000 });

describe('a buffer budget', () => {
  test('gives each socket its limit while all of them together are within theirs', () => {
    const budget = budgetOf(1_048_576);
    budget.add(10_000_000);
    expect([budget.total, budget.limit]).toEqual([10_000_000, 1_048_576]);
  });

  test('gives each 64 KiB when they are not, until they are again', () => {
    const budget = budgetOf(1_048_576);
    budget.add(10_000_001);
    expect(budget.limit).toBe(65_536);
    budget.add(-1);
    expect(budget.limit).toBe(1_048_576);
  });

  test('never gives more than the limit of a socket', () => {
    const budget = budgetOf(1_000);
    budget.add(10_000_001);
    expect(budget.limit).toBe(1_000);
  });
});
