import type { Clock } from '../host.ts';

/** The part of `fetch` that is used: that of browsers and of Node. */
export type HttpFetch = (url: string, request: HttpRequest) => Promise<HttpAnswer>;

export interface HttpRequest {
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly body?: string;
  readonly credentials?: 'include';
  readonly cache?: 'no-store';
  /** An AbortSignal, whose type is the browser's. */
  readonly signal?: never;
}

export interface HttpAnswer {
  readonly ok: boolean;
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  readonly body: {
    getReader(): { read(): Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }> };
  } | null;
  json(): Promise<unknown>;
  text(): Promise<string>;
}

/** What a request says of who asks: a token, a ticket in the query, or nothing, where there is a cookie. */
export interface Credential {
  readonly headers: Readonly<Record<string, string>>;
  /** With its `?`, or empty. */
  readonly query: string;
}

/** How a line reaches its server. */
export interface Http {
  /** Of the server, without a slash at its end. */
  readonly base: string;
  readonly fetch: HttpFetch;
  readonly clock: Clock;
  /** How long the server may take to say welcome. */
  readonly connectTimeoutMs: number;
  /** Asked for each request, since a ticket is good once. A cookie publishes nothing: there it gets a ticket. */
  credential(isToPublish?: boolean): Promise<Credential>;
  /** Goes on with another token. */
  renew(token: string): void;
}

export const queryOf = (credential: Credential, rest: string): string =>
  rest === '' ? credential.query : `${credential.query}${credential.query === '' ? '?' : '&'}${rest}`;

/** A signal, as `fetch` takes it, without asking for the types of a browser. */
export const signalOf = (controller: { readonly signal: unknown } | undefined): { signal?: never } =>
  controller === undefined ? {} : { signal: controller.signal as never };

/** Where nothing else says who asks, a cookie does, also to another origin. */
export const cookieOf = ({ headers, query }: Credential): { credentials?: 'include' } =>
  query === '' && !('authorization' in headers) ? { credentials: 'include' } : {};
