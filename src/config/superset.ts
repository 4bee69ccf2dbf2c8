import type { Leaf } from './leaf.ts';
import { defaultWords } from './words.ts';

/** Keys the old sidecar had and this server does not need. */
export const ignoredKeys: ReadonlyMap<string, string> = new Map([
  ['eventYieldBatchSize', 'EVENT_YIELD_BATCH_SIZE'],
]);

export const ignoredText = 'known from the Superset sidecar, not needed here and ignored';

/** Levels of winston, which the old sidecar logged with, and the nearest one here. */
const levels: ReadonlyMap<string, string> = new Map([
  ['http', 'info'],
  ['verbose', 'debug'],
  ['silly', 'debug'],
]);

/** Keys where the old sidecar took 0 for "no bound", which is not offered here, and what 0 is read as. */
const zeros = new Map<string, number | 'default'>([
  ['maxSocketBufferBytes', 'default'],
  ['redisStreamReadCount', 'default'],
  ['redisStreamReadBlockMs', 30_000],
]);

export interface Reading {
  readonly value: unknown;
  readonly note?: string;
}

/** Reads a value as the old sidecar did where its meaning differs; any other value stays as it is. */
export const readAsSuperset = (leaf: Leaf, value: unknown): Reading => {
  if (leaf.path === 'logLevel' && typeof value === 'string') {
    const level = value.trim().toLowerCase();
    const nearest = levels.get(level);
    return nearest === undefined
      ? { value: level }
      : { value: nearest, note: `${level} is read as ${nearest}` };
  }
  const zero = value === 0 ? zeros.get(leaf.path) : undefined;
  if (zero === undefined) return { value };
  if (zero !== 'default') return { value: zero, note: `0 is read as ${zero}` };
  return {
    value: leaf.type.default,
    note: `0 (no bound) is not offered: the default, ${defaultWords(leaf)}`,
  };
};
