import { isUtf8 } from 'node:buffer';
import { isMalformed, MALFORMED, type Malformed } from './event-codec.ts';

/** A JSON value as it came, parsed for checking only: what is sent is cut from `bytes`. */
export interface JsonValue {
  /** Valid UTF-8 and valid JSON. */
  readonly bytes: Buffer;
  readonly value: unknown;
  /** True when the bytes that came were not UTF-8 and what was not has been replaced by U+FFFD. */
  readonly repaired: boolean;
}

/** A JSON object as it came. */
export interface JsonText extends Omit<JsonValue, 'value'> {
  readonly object: Readonly<Record<string, unknown>>;
}

/** Reads bytes from outside as JSON; never throws. */
export function readJsonValue(payload: Buffer): JsonValue | Malformed {
  const repaired = !isUtf8(payload);
  try {
    // Inside the try: Redis keeps values a few bytes longer than the longest string V8 can make.
    const text = payload.toString('utf8');
    const value: unknown = JSON.parse(text);
    // Bytes that are not UTF-8, sent in a text frame, would make every browser of the channel hang up (1007),
    // and again at each replay.
    return { bytes: repaired ? Buffer.from(text, 'utf8') : payload, value, repaired };
  } catch {
    return MALFORMED.notJson;
  }
}

/** Reads bytes from outside as a JSON object; never throws. */
export function readJsonObject(payload: Buffer): JsonText | Malformed {
  const json = readJsonValue(payload);
  if (isMalformed(json)) return json;
  const { bytes, value, repaired } = json;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return MALFORMED.notObject;
  return { bytes, object: value as Record<string, unknown>, repaired };
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;

/**
 * Cuts the value of one member out of an object's text, byte for byte, so that it can be passed on as it was
 * written. Of members with the same key the last counts, as it does for JSON.parse. `bytes` is known to be a JSON
 * object; undefined when it has no such member.
 */
export function memberText(bytes: Buffer, key: string): Buffer | undefined {
  let found: Buffer | undefined;
  let at = skipSpace(bytes, skipSpace(bytes, 0) + 1);
  while (bytes[at] === QUOTE) {
    const endOfKey = skipValue(bytes, at);
    // Parsed, because a key may be written with escapes.
    const name: unknown = JSON.parse(bytes.toString('utf8', at, endOfKey));
    const from = skipSpace(bytes, skipSpace(bytes, endOfKey) + 1);
    const to = skipValue(bytes, from);
    if (name === key) found = bytes.subarray(from, to);
    at = skipSpace(bytes, to);
    if (bytes[at] === COMMA) at = skipSpace(bytes, at + 1);
  }
  return found;
}

function skipSpace(bytes: Buffer, from: number): number {
  let at = from;
  while (bytes[at] === 0x20 || bytes[at] === 0x0a || bytes[at] === 0x0d || bytes[at] === 0x09) at++;
  return at;
}

/** Where the value that starts at `from` ends. No recursion: nesting is as deep as the sender likes. */
function skipValue(bytes: Buffer, from: number): number {
  let depth = 0;
  for (let at = from; at < bytes.length; at++) {
    switch (bytes[at]) {
      case QUOTE:
        at = endOfString(bytes, at);
        if (depth === 0) return at + 1;
        break;
      case 0x7b:
      case 0x5b:
        depth++;
        break;
      case 0x7d:
      case 0x5d:
        // At depth 0 this is the end of the object around a number or a word.
        if (depth === 0) return at;
        if (--depth === 0) return at + 1;
        break;
      case COMMA:
      case 0x20:
      case 0x0a:
      case 0x0d:
      case 0x09:
        if (depth === 0) return at;
    }
  }
  return bytes.length;
}

/** The index of the quote that ends the string whose first quote is at `from`. */
function endOfString(bytes: Buffer, from: number): number {
  let at = from + 1;
  while (at < bytes.length && bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1;
  return at;
}

/** Cuts the elements out of an array's text, byte for byte. `bytes` is known to be a JSON array. */
export function elementTexts(bytes: Buffer): Buffer[] {
  const found: Buffer[] = [];
  let at = skipSpace(bytes, skipSpace(bytes, 0) + 1);
  while (at < bytes.length && bytes[at] !== CLOSING_BRACKET) {
    const to = skipValue(bytes, at);
    found.push(bytes.subarray(at, to));
    at = skipSpace(bytes, to);
    if (bytes[at] === COMMA) at = skipSpace(bytes, at + 1);
  }
  return found;
}

const CLOSING_BRACKET = 0x5d;
