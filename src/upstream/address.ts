/** Where an application listens. */
export interface UpstreamAddress {
  /** Scheme, host and port, as HTTP clients take it. */
  readonly origin: string;
  /** What the application reads as Host. */
  readonly host: string;
  /** Of a Unix socket, which is connected to instead. */
  readonly socketPath?: string;
}

const UNIX = /^unix:(?:\/\/)?(\/[^?#]+)$/;

/**
 * Reads `http://127.0.0.1:8000`, `https://app.internal`, `http://[::1]:8000` or `unix:/run/app.sock`; undefined when it
 * is none of these. A path is refused: the target of a request goes to the application as it came.
 */
export function readUpstreamAddress(text: string): UpstreamAddress | undefined {
  const socketPath = UNIX.exec(text)?.[1];
  if (socketPath !== undefined) return { origin: 'http://localhost', host: 'localhost', socketPath };
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:')) return undefined;
  const isMore = url.username + url.password + url.search + url.hash !== '' || url.pathname !== '/';
  return isMore ? undefined : { origin: url.origin, host: url.host };
}
