import * as fc from 'fast-check';
import { isMalformed, type Malformed } from '../../src/protocol/event-codec.ts';

const pieces = fc.constantFrom(
  '{"channel_id": "',
  '{"channel_id":"',
  '"topic": "t", "scope": "s"',
  '"routes": ["a"]',
  '"payload": ',
  '"',
  '\\',
  '\\u00',
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  ' ',
  'null',
  '1e999',
  '__proto__',
  '\u0000',
  'é',
);

/** Bytes as they could come from a broker: anything, and what is nearly right. */
export const payloads: fc.Arbitrary<Buffer> = fc.oneof(
  fc.uint8Array().map((bytes) => Buffer.from(bytes)),
  fc.array(pieces, { maxLength: 12 }).map((parts) => Buffer.from(parts.join(''))),
  fc.json().map((text) => Buffer.from(text)),
  fc
    .tuple(
      fc.constantFrom('{"channel_id": "c", "v": ', '{"topic":"t","scope":"s","payload":'),
      fc.json(),
      fc.uint8Array(),
    )
    .map(([front, value, bytes]) =>
      Buffer.concat([Buffer.from(front + value), Buffer.from(bytes), Buffer.from('}')]),
    ),
);

/** The text that clients would get; an error when there is none. */
export function sentText(encoded: Buffer | Malformed): string {
  if (isMalformed(encoded)) throw new Error(`Malformed: ${encoded.malformed}`);
  return encoded.toString();
}
