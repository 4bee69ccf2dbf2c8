import { createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { parseCookie, stringifySetCookie } from 'cookie';
import { bearerOf, digest } from '../transport/bearer.ts';
import { RateLimit } from '../transport/rate-limit.ts';

/** How long a login lasts. */
const SESSION_MS = 12 * 60 * 60 * 1000;
/** Wrong tokens of one address: more are told to come later. The right one never has to: who guesses must not lock others out. */
const WRONG = { perSecond: 0.2, burst: 10 };

export interface AdminAccessDeps {
  readonly token: string;
  readonly now: () => number;
}

/** What came of a token: it is the one; it is not; or it is not, as too many of this address before. */
export type Judgement = 'right' | 'wrong' | { readonly waitMs: number };

/**
 * Who may come to the admin listener: whoever knows its token, or has logged in with it. A login is a cookie that this
 * process need not remember: it says how long it lasts, sealed with the token, so that it holds at every worker and
 * every instance, and ends when the token is changed.
 */
export class AdminAccess {
  readonly cookieName: string;
  readonly #token: Buffer;
  readonly #key: Buffer;
  readonly #now: () => number;
  readonly #wrong: RateLimit;

  constructor({ token, now }: AdminAccessDeps) {
    this.#token = digest(token);
    this.#key = createHmac('sha256', token).update('signalbox admin session').digest();
    this.#now = now;
    this.#wrong = new RateLimit({ ...WRONG, now });
    // A browser does not tell ports apart: two installations on one machine would log each other out.
    this.cookieName = `signalbox-admin-${this.#key.toString('hex', 0, 4)}`;
  }

  /** Compared by digest, so that the time it takes tells nothing. */
  judge(token: string, address: string): Judgement {
    const isRight = timingSafeEqual(this.#token, digest(token));
    if (isRight) return 'right';
    const waitMs = this.#wrong.take(address);
    return waitMs === 0 ? 'wrong' : { waitMs };
  }

  /** Undefined: there is no bearer token. */
  judgeBearer(authorization: string | undefined, address: string): Judgement | undefined {
    const token = bearerOf(authorization);
    return token === undefined ? undefined : this.judge(token, address);
  }

  isLoggedIn({ cookie }: Pick<IncomingHttpHeaders, 'cookie'>): boolean {
    const [, until = '', seal = ''] = /^(\d{1,16})\.([\w-]{43})$/.exec(this.#cookieIn(cookie)) ?? [];
    if (until === '' || Number(until) <= this.#now()) return false;
    return timingSafeEqual(digest(this.#sealOf(until)), digest(seal));
  }

  /** What a browser is given that has shown the token. */
  login(isSecure: boolean): string {
    const until = String(this.#now() + SESSION_MS);
    return this.#cookie(`${until}.${this.#sealOf(until)}`, SESSION_MS / 1000, isSecure);
  }

  logout(isSecure: boolean): string {
    return this.#cookie('', 0, isSecure);
  }

  #cookie(value: string, maxAge: number, secure: boolean): string {
    const { cookieName: name } = this;
    return stringifySetCookie({
      name,
      value,
      path: '/inspect',
      httpOnly: true,
      sameSite: 'strict',
      maxAge,
      secure,
    });
  }

  #cookieIn(header: string | undefined): string {
    return header === undefined ? '' : (parseCookie(header)[this.cookieName] ?? '');
  }

  #sealOf(until: string): string {
    return createHmac('sha256', this.#key).update(until).digest('base64url');
  }
}

/**
 * Whether a change comes from a page of this very listener, or from no page: a browser says where a POST is from, and
 * the scheme may be that of a proxy in front.
 */
export function isOwnPage({ origin, host, 'sec-fetch-site': site }: IncomingHttpHeaders): boolean {
  // A browser says so itself, whatever a proxy has made of the name of the host.
  if (site !== undefined) return site === 'same-origin' || site === 'none';
  if (origin === undefined) return true;
  return URL.canParse(origin) && host !== undefined && new URL(origin).host === host.toLowerCase();
}
