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

/** A request as the application is told of it, without credentials. */
export function connectRequest({ url = '', headers, socket }: IncomingMessage): ConnectRequest {
  return {
    target: withoutTickets(url),
    headers: withoutCredentials(headers),
    address: socket.remoteAddress,
  };
}

/** Cut as `queryParameter` cuts it, and each name read as it reads it: whatever is one to it must not go on. */
function withoutTickets(target: string): string {
  const mark = target.indexOf('?');
  if (mark === -1) return target;
  const parts = target.slice(mark + 1).split(/[?&]/);
  const kept = parts.filter((part) => !new URLSearchParams(part).has('ticket')).join('&');
  return kept === '' ? target.slice(0, mark) : `${target.slice(0, mark)}?${kept}`;
}

function withoutCredentials(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const entries = Object.entries(headers).filter(([name]) => !CREDENTIALS.includes(name));
  return Object.fromEntries(entries);
}
