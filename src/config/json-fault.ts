/** Where a text stops being JSON, and what should have stood there. Lines and columns count from 1. */
export interface JsonFault {
  readonly line: number;
  readonly column: number;
  /** The character there, or words for the end of the file. Never more: secrets stand in these files. */
  readonly found: string;
  readonly expected: string;
}

const space = /[ \t\n\r]*/y;
const string = /"(?:[ !#-[\]-\uffff]|\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4}))*"/y;
const scalar = /(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![\w.+-])/y;

const end = (pattern: RegExp, text: string, at: number): number => {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : -1;
};

/**
 * The first fault in a text that is not JSON. A scanner of our own because Node 20's messages often have no
 * position, and all of them quote the text around it.
 */
export const jsonFault = (text: string): JsonFault | undefined => {
  let fault: { at: number; expected: string } | undefined;
  const fail = (at: number, expected: string): -1 => {
    fault ??= { at, expected };
    return -1;
  };
  const skip = (at: number): number => end(space, text, at);

  /** A comma-separated list up to `close`; `item` answers where an item ends, or -1. */
  const list = (start: number, close: string, first: string, item: (at: number) => number): number => {
    let at = skip(start + 1);
    if (text[at] === close) return at + 1;
    for (;;) {
      at = text[at] === close ? fail(at, `${first} after the comma`) : item(at);
      if (at === -1) return -1;
      at = skip(at);
      if (text[at] === close) return at + 1;
      if (text[at] !== ',') return fail(at, `a comma or ${close}`);
      at = skip(at + 1);
    }
  };

  const member = (at: number): number => {
    if (text[at] !== '"') return fail(at, 'a key in double quotes');
    const colon = end(string, text, at);
    if (colon === -1) return fail(at, 'a key that ends with a double quote on the same line');
    const after = skip(colon);
    return text[after] === ':' ? value(skip(after + 1)) : fail(after, 'a colon');
  };

  const value = (at: number): number => {
    if (text[at] === '{') return list(at, '}', 'a key in double quotes', member);
    if (text[at] === '[') return list(at, ']', 'a value', value);
    const after = end(text[at] === '"' ? string : scalar, text, at);
    if (after !== -1) return after;
    return fail(at, text[at] === '"' ? 'a text that ends with a double quote on the same line' : 'a value');
  };

  const after = value(skip(0));
  if (after !== -1 && skip(after) < text.length) fail(skip(after), 'the end of the file');
  if (fault === undefined) return undefined;
  const lines = text.slice(0, fault.at).split('\n');
  const character = String.fromCodePoint(text.codePointAt(fault.at) ?? 0);
  return {
    line: lines.length,
    column: (lines.at(-1) ?? '').length + 1,
    found: fault.at >= text.length ? 'the end of the file' : JSON.stringify(character),
    expected: fault.expected,
  };
};
