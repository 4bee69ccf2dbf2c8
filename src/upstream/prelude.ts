import { constants, brotliDecompress, gunzip, inflate } from 'node:zlib';
import { promisify } from 'node:util';

/** More than this no body that fits the buffer can honestly become. */
const MAX_DECODED_BYTES = 1024 * 1024;
const BLANK_LINE = /(?:\r\n|\n|\r(?!\n))(?:\r\n|\n|\r(?!\n))/g;

const zlib = { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: MAX_DECODED_BYTES };
const DECODERS: Readonly<Record<string, (body: Buffer) => Promise<Buffer>>> = {
  gzip: (body) => promisify(gunzip)(body, zlib),
  'x-gzip': (body) => promisify(gunzip)(body, zlib),
  deflate: (body) => promisify(inflate)(body, zlib),
  br: (body) =>
    promisify(brotliDecompress)(body, {
      finishFlush: constants.BROTLI_OPERATION_FLUSH,
      maxOutputLength: MAX_DECODED_BYTES,
    }),
};

export interface Prelude {
  readonly body: Buffer;
  /** False when the application would have said more. */
  readonly isWhole: boolean;
}

/** Undoes Content-Encoding, as far as the body goes; rejects when this cannot be done. */
export async function decoded(body: Buffer, contentEncoding: string): Promise<Buffer> {
  const coding = contentEncoding.trim().toLowerCase();
  if (body.length === 0 || coding === '' || coding === 'identity') return body;
  const decoder = Object.hasOwn(DECODERS, coding) ? DECODERS[coding] : undefined;
  if (decoder === undefined) throw new TypeError('this Content-Encoding is not known');
  return decoder(body);
}

/**
 * What is sent before the first event. Where it is an event stream it ends with the end of an event: otherwise what
 * follows would become part of the application's last one. Of a body that was cut the last event is left out, which is
 * not whole.
 */
export function framed({ body, isWhole }: Prelude, contentType: string | undefined): Buffer {
  if (body.length === 0 || !/^\s*text\/event-stream\s*(?:;|$)/i.test(contentType ?? '')) return body;
  const end =
    [...body.toString('latin1').matchAll(BLANK_LINE)].map((match) => match.index + match[0].length).at(-1) ??
    0;
  if (!isWhole) return body.subarray(0, end);
  return end === body.length ? body : Buffer.concat([body, Buffer.from('\n\n')]);
}
