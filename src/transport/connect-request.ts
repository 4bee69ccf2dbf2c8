import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { ConnectRequest } from '../decider/decider.ts';

/** What says who the client is to this server, or to a proxy before it: the application has the principal. */
const CREDENTIALS = [
  'authorization',
  'cookie',
  'proxy-authorization',
  'sec-websocket-protocol',
  'sec-websocket-key',
];
const TICKET = /([?&])ticket=[^&#]*&?/g;

/** A request as the application is told of it, without credentials. */
export function connectRequest({ url = '', headers, socket }: IncomingMessage): ConnectRequest {
  return {
    target: url.replace(TICKET, '$1').replace(/[?&]$/, ''),
    headers: withoutCredentials(headers),
    address: socket.remoteAddress,
  };
}

function withoutCredentials(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const entries = Object.entries(headers).filter(([name]) => !CREDENTIALS.includes(name));
  return Object.fromEntries(entries);
}
