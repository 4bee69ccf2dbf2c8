import { parseCookie } from 'cookie';
import { queryParameter } from '../protocol/request-target.ts';
import type { AuthRequest } from './token.ts';

/** Where a credential was found. A cookie is sent by the browser unasked, so what it may do is less. */
export type CredentialSource = 'protocol' | 'bearer' | 'query' | 'cookie';

export interface Credential {
  readonly kind: 'token' | 'ticket';
  readonly source: CredentialSource;
  /** Whatever was there, be it empty. */
  readonly text: string;
}

const TICKET_PROTOCOL = 'signalbox.ticket.';
const BEARER = /^bearer(?:[ \t]+(.*))?$/is;

/**
 * The credential of a request: the first of sub-protocol, Authorization, `?ticket=` and cookie that is present. The
 * others are not looked at, even when this one turns out to be bad: a request with two is one of two people.
 */
export function credentialOf(request: AuthRequest, cookieName: string): Credential | undefined {
  const { headers, target } = request;
  const offered = headers['sec-websocket-protocol']?.split(',').map((protocol) => protocol.trim());
  const ticketProtocol = offered?.find((protocol) => protocol.startsWith(TICKET_PROTOCOL));
  if (ticketProtocol !== undefined) {
    return { kind: 'ticket', source: 'protocol', text: ticketProtocol.slice(TICKET_PROTOCOL.length) };
  }
  const bearer = BEARER.exec(headers.authorization ?? '');
  if (bearer !== null) return { kind: 'token', source: 'bearer', text: (bearer[1] ?? '').trim() };
  const ticket = queryParameter(target, 'ticket');
  if (ticket !== undefined) return { kind: 'ticket', source: 'query', text: ticket };
  const cookie = parseCookie(headers.cookie ?? '')[cookieName];
  // Emptying a cookie is how applications log out.
  if (cookie === undefined || cookie === '') return undefined;
  return { kind: 'token', source: 'cookie', text: cookie };
}
