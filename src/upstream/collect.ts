import { type RawHeaders, valuesOf } from './raw-headers.ts';

/** Headers that an answer must have for a hold to be taken, with their values. */
export type Collect = Readonly<Record<string, string>>;

/**
 * Whether an answer has all of them. Case does not matter. A value without parameters is for every answer that has some:
 * `text/event-stream` is for `text/event-stream; charset=utf-8`.
 */
export function isCollected(raw: RawHeaders, collect: Collect): boolean {
  return Object.entries(collect).every(([name, wanted]) =>
    valuesOf(raw, name.toLowerCase()).some((value) =>
      matches(value.toLowerCase(), wanted.toLowerCase().trim()),
    ),
  );
}

function matches(value: string, wanted: string): boolean {
  return value.trim() === wanted || (!wanted.includes(';') && value.split(';', 1)[0]?.trim() === wanted);
}
