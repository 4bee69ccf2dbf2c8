import type { IncomingHttpHeaders } from 'node:http';

export interface NativeOriginRules {
  /** `allowedOrigins`; empty: pages of this very host. */
  readonly allowed: readonly string[];
  /** Whether it is a cookie that says who this is: then the browser sent it, whatever page asked. */
  readonly withCookie: boolean;
}

/**
 * Whether a native client may come from where it comes. Without an Origin it is no page, or a page of this very
 * origin that asks by GET: browsers leave Origin out there, and say `Sec-Fetch-Site: same-origin`, which no page can
 * forge. `*` is for those without a cookie, as in CORS.
 */
export function isAllowedNativeOrigin(headers: IncomingHttpHeaders, rules: NativeOriginRules): boolean {
  const { origin } = headers;
  const { allowed, withCookie } = rules;
  if (origin === undefined) return !withCookie || headers['sec-fetch-site'] === 'same-origin';
  if (allowed.includes(origin) && origin !== '*') return true;
  const isAny = allowed.includes('*');
  if (isAny && !withCookie) return true;
  return (isAny || allowed.length === 0) && isOfHost(origin, headers.host);
}

/** Whether an origin is of this host. Its scheme is not compared: behind a proxy that ends TLS it is another one. */
function isOfHost(origin: string, host: string | undefined): boolean {
  if (host === undefined || !URL.canParse(origin)) return false;
  const { protocol, host: ofOrigin, origin: canonical } = new URL(origin);
  // Whatever no browser would write as the origin of a page: it is no URL, or has more to it than an origin.
  if ((protocol !== 'http:' && protocol !== 'https:') || canonical !== origin) return false;
  // A Host may name the default port.
  const served = `${protocol}//${host}`;
  return URL.canParse(served) && new URL(served).host === ofOrigin;
}
