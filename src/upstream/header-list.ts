/** One item of a header: `value; name=text; other="quoted, text"`. */
export interface HeaderItem {
  readonly value: string;
  /** By name in lower case; the first of a name counts. */
  readonly parameters: ReadonlyMap<string, string>;
}

/** One value of a header as a single item. Only in parameters are quotes quotes. */
export function headerItem(text: string): HeaderItem {
  const value = text.split(';', 1)[0] as string;
  const rest = splitUnquoted(text.slice(value.length + 1), ';').filter((part) => part.trim() !== '');
  const parameters = new Map<string, string>();
  for (const part of rest) {
    const mark = part.indexOf('=');
    const name = (mark < 0 ? part : part.slice(0, mark)).trim().toLowerCase();
    if (!parameters.has(name)) parameters.set(name, mark < 0 ? '' : unquoted(part.slice(mark + 1).trim()));
  }
  return { value: value.trim(), parameters };
}

/** The items of a header, which may come several times and hold several, separated by commas; empty ones do not count. */
export function headerItems(values: readonly string[]): HeaderItem[] {
  return values
    .flatMap((value) => splitUnquoted(value, ','))
    .map(headerItem)
    .filter(({ value }) => value !== '');
}

function splitUnquoted(text: string, separator: ',' | ';'): string[] {
  const parts: string[] = [];
  let from = 0;
  let isQuoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (isQuoted && character === '\\') at += 1;
    else if (character === '"') isQuoted = !isQuoted;
    else if (!isQuoted && character === separator) {
      parts.push(text.slice(from, at));
      from = at + 1;
    }
  }
  return [...parts, text.slice(from)];
}

function unquoted(text: string): string {
  const inside = /^"(.*)"$/s.exec(text)?.[1];
  return inside === undefined ? text : inside.replace(/\\(.)/gs, '$1');
}
