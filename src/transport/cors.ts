import { type Access, isShared, takesCookie } from './http-route.ts';

/** How long a browser may go by the answer to a preflight; Chromium takes no longer one. */
const PREFLIGHT_SECONDS = 7_200;
/** The last is an EventSource's own, and of those that are written with fetch: a browser asks about theirs. */
const REQUEST_HEADERS = 'Authorization, Content-Type, Last-Event-ID';
/** What a page may read beside the body; without this it would not know how long to wait. */
const EXPOSED_HEADERS = 'Retry-After';

export interface CorsRequest {
  readonly origin: string | undefined;
  readonly access: Access;
  /** Those of the path, where this is a preflight. */
  readonly preflight?: readonly string[];
}

/**
 * The headers that let a page of another origin use a route: for listed origins, with the cookie where a cookie
 * counts; for any origin where `*` is listed, and then never with one, as at an upgrade. Others get none.
 *
 * Why this is no plugin: `@fastify/cors` answers preflights by one route for every path, so what is not served here
 * would be, and it knows neither a path's own methods nor which of them take a cookie.
 */
export function corsHeaders(
  { origin, access, preflight }: CorsRequest,
  allowed: readonly string[],
): Readonly<Record<string, string>> {
  if (origin === undefined || !isShared(access)) return {};
  const isListed = origin !== '*' && allowed.includes(origin);
  if (!isListed && !allowed.includes('*')) return {};
  return {
    'Access-Control-Allow-Origin': isListed ? origin : '*',
    ...(isListed && takesCookie(access) && { 'Access-Control-Allow-Credentials': 'true' }),
    ...(preflight === undefined
      ? { 'Access-Control-Expose-Headers': EXPOSED_HEADERS }
      : {
          'Access-Control-Allow-Methods': preflight.join(', '),
          'Access-Control-Allow-Headers': REQUEST_HEADERS,
          'Access-Control-Max-Age': String(PREFLIGHT_SECONDS),
        }),
  };
}
