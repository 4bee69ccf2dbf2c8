import { isUtf8 } from 'node:buffer';
import { MALFORMED, type Malformed } from '../event-codec.ts';

/** A JSON object as it came, parsed for checking only: what is sent is cut from `bytes`. */
export interface JsonText {
  /** Valid UTF-8 and valid JSON. */
  readonly bytes: Buffer;
  readonly object: Readonly<Record<string, unknown>>;
  /** True when the bytes that came were not UTF-8 and what was not has been replaced by U+FFFD. */
  readonly repaired: boolean;
}

/** Reads bytes from outside as a JSON object; never throws. */
export function readJsonObject(payload: Buffer): JsonText | Malformed {
  const repaired = !isUtf8(payload);
  let value: unknown;
  let bytes = payload;
  try {
    // Inside the try: Redis keeps values a few bytes longer than the longest string V8 can make.
    const text = payload.toString('utf8');
    value = JSON.parse(text);
    // Bytes that are not UTF-8, sent in a text frame, would make every browser of the channel hang up (1007),
    // and again at each replay.
    if (repaired) bytes = Buffer.from(text, 'utf8');
  } catch {
    return MALFORMED.notJson;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return MALFORMED.notObject;
  return { bytes, object: value as Record<string, unknown>, repaired };
}
