/**
 * Whether a browser's page may connect. Matched exactly; an empty list, or one with `*`, allows any. Where there
 * is a list, a request without an `Origin` is refused: browsers always send one.
 */
export function isAllowedOrigin(origin: string | undefined, allowed: readonly string[]): boolean {
  if (allowed.length === 0 || allowed.includes('*')) return true;
  return origin !== undefined && allowed.includes(origin);
}
