/** What a body turned out to be. Positions count UTF-16 code units from 0, as those of `JSON.parse` do. */
export type JsonText =
  | {
      readonly ok: true;
      /** The raw text of each member of a top-level object, the last of a repeated name; of other values: empty. */
      readonly members: ReadonlyMap<string, string>;
    }
  | { readonly ok: false; readonly position: number };

const SPACE = /[ \t\n\r]*/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[\da-fA-F]{4})/y;
const SCALAR = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;

/**
 * Walks a JSON text without building its value: `JSON.parse` says where a text is broken only sometimes, and turns
 * a number beyond 2^53 into another one, which must not happen to a payload. Nesting costs an array, not the stack.
 */
export function readJson(text: string): JsonText {
  const members = new Map<string, string>();
  /** The closing bracket of each value that is open, the innermost last. */
  const open: string[] = [];
  let at = 0;
  let member: { readonly name: string; readonly start: number } | undefined;

  const match = (pattern: RegExp): boolean => {
    pattern.lastIndex = at;
    if (!pattern.test(text)) return false;
    at = pattern.lastIndex;
    return true;
  };
  const skipSpace = (): string | undefined => {
    match(SPACE);
    return text[at];
  };
  /** A loop and not one pattern: that would keep a way back for each character of a long string. */
  const readString = (): boolean => {
    at += 1;
    for (; at < text.length; ) {
      const character = text[at] as string;
      if (character === '\\') {
        if (!match(ESCAPE)) return false;
      } else if (character < ' ') return false;
      else {
        at += 1;
        if (character === '"') return true;
      }
    }
    return false;
  };
  const readName = (): boolean => {
    if (skipSpace() !== '"') return false;
    const start = at;
    if (!readString()) return false;
    const name = text.slice(start, at);
    if (skipSpace() !== ':') return false;
    at += 1;
    skipSpace();
    if (open.length === 1) member = { name: JSON.parse(name) as string, start: at };
    return true;
  };
  const endValue = (): void => {
    if (member === undefined || open.length !== 1) return;
    members.set(member.name, text.slice(member.start, at));
    member = undefined;
  };
  /** Reads up to the first value that begins after the one that ended; true at the end of the text. */
  const readOn = (): boolean | undefined => {
    for (;;) {
      const next = skipSpace();
      const closing = open.at(-1);
      if (closing === undefined) return next === undefined ? true : undefined;
      if (next === closing) {
        open.pop();
        at += 1;
        endValue();
      } else if (next === ',') {
        at += 1;
        return closing === ']' || readName() ? false : undefined;
      } else return undefined;
    }
  };

  for (;;) {
    const first = skipSpace();
    if (first === '{' || first === '[') {
      const closing = first === '{' ? '}' : ']';
      open.push(closing);
      at += 1;
      if (skipSpace() !== closing) {
        if (first === '{' && !readName()) return { ok: false, position: at };
        continue;
      }
    } else {
      if (!(first === '"' ? readString() : match(SCALAR))) return { ok: false, position: at };
      endValue();
    }
    const ended = readOn();
    if (ended === undefined) return { ok: false, position: at };
    if (ended) return { ok: true, members };
  }
}
