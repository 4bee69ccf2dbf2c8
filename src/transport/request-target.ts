/** A request target in origin form, cut at its first `?`; neither part is decoded. */
export interface RequestTarget {
  readonly path: string;
  /** What follows the `?`, without it; empty when there is none. */
  readonly query: string;
}

/** A dot segment, with each of its dots and slashes raw or encoded. */
const DOT_SEGMENT = /(?:\/|%2f)(?:\.|%2e){1,2}(?=\/|%2f|$)/i;
/** Control bytes and the backslash, encoded. In a query they are data, in a path somebody's attempt. */
const ENCODED_CONTROL = /%(?:[01][\da-f]|7f|5c)/i;
const BROKEN_ENCODING = /%(?![\da-f]{2})/i;

const SPACE = 0x20;
const HASH = 0x23;
const BACKSLASH = 0x5c;
const DELETE = 0x7f;

/**
 * Reads a raw request target, of a request or an upgrade; undefined when it is to be answered with 400.
 * It starts with exactly one `/` and holds no control byte, backslash or dot segment, raw or encoded. A `#`, which
 * no target may hold, is refused too: routers cut it off, and then two readers see two paths. `new URL` is not
 * used, because it throws on `//` and silently resolves what is refused here.
 */
export function checkTarget(raw: string): RequestTarget | undefined {
  if (!raw.startsWith('/') || raw.startsWith('//')) return undefined;
  for (let at = 0; at < raw.length; at += 1) {
    const code = raw.charCodeAt(at);
    if (code <= SPACE || code === HASH || code === BACKSLASH || code === DELETE) return undefined;
  }
  const mark = raw.indexOf('?');
  const path = mark < 0 ? raw : raw.slice(0, mark);
  if (DOT_SEGMENT.test(path) || ENCODED_CONTROL.test(path) || BROKEN_ENCODING.test(path)) return undefined;
  return { path, query: mark < 0 ? '' : raw.slice(mark + 1) };
}
