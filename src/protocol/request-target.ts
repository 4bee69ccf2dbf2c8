/**
 * One parameter of a request target's query, the first of its name, decoded; undefined when it is not there.
 *
 * The target is what a client wrote after the method, so it may be anything: it is cut, never parsed as an URL,
 * and nothing here throws. A second `?` counts as `&`, because Superset's client appends `?last_id=` to whatever
 * URL it was configured with.
 */
export function queryParameter(target: string, name: string): string | undefined {
  const mark = target.indexOf('?');
  if (mark === -1) return undefined;
  const hash = target.indexOf('#', mark);
  const query = target.slice(mark + 1, hash === -1 ? undefined : hash).replaceAll('?', '&');
  return new URLSearchParams(query).get(name) ?? undefined;
}
