import { type FrameListener, OPCODE } from './frame-parser.ts';

const NOTHING = Buffer.alloc(0);
const LINE_END = 0x0a;
const DATA = Buffer.from('data: ');

/**
 * Reads the data lines of a stream of Server-Sent Events, each a text of its own; all else of a block says nothing that
 * is wanted here, nor do the lengths of chunks in between. What it is given, and gives, is as with `FrameParser`.
 */
export class BlockParser {
  readonly #listener: FrameListener;
  #rest: Buffer = NOTHING;

  constructor(listener: FrameListener) {
    this.#listener = listener;
  }

  push(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    for (let end = bytes.indexOf(LINE_END); end >= 0; end = bytes.indexOf(LINE_END, at)) {
      const isData = end - at >= DATA.length && DATA.compare(bytes, at, at + DATA.length) === 0;
      if (isData) this.#listener(OPCODE.text, bytes, at + DATA.length, end);
      at = end + 1;
    }
    this.#rest = at === bytes.length ? NOTHING : Buffer.from(bytes.subarray(at));
  }
}
