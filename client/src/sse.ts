import { connect as connectAlone } from './client.ts';
import type { Connection, ConnectOptions } from './connection.ts';
import type { HttpFetch } from './fallback/http.ts';
import { Route } from './fallback/route.ts';
import type { WebSocketConstructor } from './host.ts';

export type { HttpAnswer, HttpFetch, HttpRequest } from './fallback/http.ts';

export interface FallbackOptions extends Omit<ConnectOptions, 'fetch'> {
  /** Left out: the global one. Its answers must have a `body` that can be read as it comes. */
  readonly fetch?: HttpFetch;
  /** After how many WebSockets in a row that could not be opened it goes on over HTTP; twice as many where one had worked. 2. */
  readonly webSocketAttempts?: number;
  /** How long a WebSocket may take until the server is heard. 5000. */
  readonly webSocketTimeoutMs?: number;
  /** How often a WebSocket is tried again, once it goes over HTTP. 300000. */
  readonly webSocketRetryMs?: number;
}

/**
 * As `connect` of `@signalbox/client`, also where no WebSocket can be opened: then it goes on over HTTP, with a stream of
 * Server-Sent Events and a request for what is asked, told and published, from the same positions, and goes back when a
 * WebSocket can be opened again.
 */
export function connect(url: string, options: FallbackOptions = {}): Connection {
  const route = new Route(url, options);
  const hasCredential = options.token !== undefined || options.ticket !== undefined;
  // A function, since what is made by `new` may be another object.
  const WebSocket = function dial(_: string, protocols: string[]) {
    return route.dial(protocols);
  } as unknown as WebSocketConstructor;
  const connection = connectAlone(url, {
    ...options,
    WebSocket,
    ...(hasCredential && { ticket: () => route.ticket() }),
  });
  connection.onState((state) => {
    if (state === 'closed') route.stop();
  });
  return connection;
}
