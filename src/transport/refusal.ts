import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';

/** Answers an upgrade that is refused: a status, and a body that says why in a word; when to ask again, if it is known. */
export function refuseUpgrade(connection: Duplex, status: number, word: string, retryAfterMs?: number): void {
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    'Connection: close',
    'Content-Type: text/plain; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(word)}`,
    ...(retryAfterMs === undefined ? [] : [`Retry-After: ${Math.ceil(retryAfterMs / 1000)}`]),
    '',
    word,
  ];
  connection.once('finish', () => connection.destroy());
  connection.end(head.join('\r\n'));
}
