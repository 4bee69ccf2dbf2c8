import { endToEnd, fieldsOf, type RawHeaders } from './raw-headers.ts';

/**
 * What a held stream has from its application, several values of one name in order. Names are in lower case, so that the
 * stream's own take their place.
 */
export type HeldHeaders = Readonly<Record<string, string | string[]>>;

/** True of the one answer they came with, not of the stream that takes its place. Content-Type is told apart. */
const OF_ONE_ANSWER: ReadonlySet<string> = new Set([
  'accept-ranges',
  'cache-control',
  'content-encoding',
  'content-length',
  'content-type',
  'etag',
  'last-modified',
]);

/** The headers of an answer that goes on as it came; `instructions` are between the application and this server. */
export function passedHeaders(raw: RawHeaders, isInstruction: (lowerCaseName: string) => boolean): string[] {
  return endToEnd(raw, isInstruction);
}

/** The headers that go on with a held stream. */
export function heldHeaders(raw: RawHeaders, isInstruction: (lowerCaseName: string) => boolean): HeldHeaders {
  // A header may be called __proto__.
  const held = Object.create(null) as Record<string, string | string[]>;
  const kept = endToEnd(raw, (name) => OF_ONE_ANSWER.has(name) || isInstruction(name));
  for (const [name, value] of fieldsOf(kept)) {
    const lower = name.toLowerCase();
    const before = held[lower];
    held[lower] = before === undefined ? value : [before, value].flat();
  }
  return held;
}
