import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { createClientAddress } from '../transport/client-address.ts';
import { endToEnd, valuesOf } from './raw-headers.ts';

export interface RequestHeaderOptions {
  /** What the application reads as Host. */
  readonly host: string;
  /** Whether X-Forwarded-* is the word of a proxy of ours. */
  readonly trustProxy: boolean;
  /** In lower case; what only an application may say. */
  readonly answerHeaders: ReadonlySet<string>;
  /** Sent as Grip-Sig, made anew for each request. */
  readonly signature?: (() => string) | undefined;
}

/** Makes what turns a client's headers into those that its application gets. */
export function createRequestHeaders({
  host,
  trustProxy,
  answerHeaders,
  signature,
}: RequestHeaderOptions): (request: IncomingMessage) => string[] {
  const addressOf = createClientAddress(trustProxy);
  const isRemoved = (name: string): boolean => {
    // Applications behind CGI or WSGI read both as HTTP_X_FORWARDED_FOR, and may take the client's.
    const read = name.replaceAll('_', '-');
    return (
      read === 'host' ||
      // Node has answered it.
      read === 'expect' ||
      read === 'forwarded' ||
      read.startsWith('x-forwarded-') ||
      (read === 'x-real-ip' && (!trustProxy || name !== read)) ||
      read.startsWith('grip-') ||
      answerHeaders.has(read)
    );
  };
  return (request) => {
    const { rawHeaders, socket } = request;
    const forwarded = (name: string, own: string): string =>
      (trustProxy && valuesOf(rawHeaders, name).join().split(',').at(-1)?.trim()) || own;
    const isTls = (socket as Partial<TLSSocket>).encrypted === true;
    return [
      'Host',
      host,
      ...endToEnd(rawHeaders, isRemoved),
      'X-Forwarded-For',
      addressOf(request),
      'X-Forwarded-Proto',
      forwarded('x-forwarded-proto', isTls ? 'https' : 'http'),
      'X-Forwarded-Host',
      forwarded('x-forwarded-host', request.headers.host ?? ''),
      ...(signature === undefined ? [] : ['Grip-Sig', signature()]),
    ];
  };
}
