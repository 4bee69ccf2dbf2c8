import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';

/** Answers an upgrade that is refused: a status, and a body that says why in a word. */
export function refuseUpgrade(connection: Duplex, status: number, word: string): void {
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    'Connection: close',
    'Content-Type: text/plain; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(word)}`,
    '',
    word,
  ];
  connection.once('finish', () => connection.destroy());
  connection.end(head.join('\r\n'));
}
