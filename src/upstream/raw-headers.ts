/** Names and values in turn, as they came: order, case and repetition may matter to somebody. */
export type RawHeaders = readonly string[];

/** What is between two neighbours of a chain and goes no further: RFC 9110, 7.6.1, and what never made it there. */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'http2-settings',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Names and values in pairs. */
export function* fieldsOf(raw: RawHeaders): Generator<readonly [name: string, value: string]> {
  for (let at = 0; at + 1 < raw.length; at += 2) yield [raw[at] as string, raw[at + 1] as string];
}

/** Every value of one name, which is given in lower case. */
export function valuesOf(raw: RawHeaders, name: string): string[] {
  return [...fieldsOf(raw)].filter(([found]) => found.toLowerCase() === name).map(([, value]) => value);
}

/** What goes on: without what is hop by hop, or is so because Connection names it, or is removed by name. */
export function endToEnd(raw: RawHeaders, isRemoved: (lowerCaseName: string) => boolean): string[] {
  const named = new Set(
    valuesOf(raw, 'connection').flatMap((value) => value.split(',').map((name) => name.trim().toLowerCase())),
  );
  return [...fieldsOf(raw)]
    .filter(([name]) => {
      const lower = name.toLowerCase();
      return !HOP_BY_HOP.has(lower) && !named.has(lower) && !isRemoved(lower);
    })
    .flat();
}
