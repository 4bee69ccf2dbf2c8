/** A block of a stream of Server-Sent Events, as far as it is looked at. */
export interface Block {
  readonly data: string | undefined;
  /** Milliseconds. */
  readonly retry: number | undefined;
}

const LINE_END = /\r\n|\r|\n/;

/** Reads blocks of a text that comes in pieces, wherever it was cut. */
export class BlockReader {
  #rest = '';
  #data: string[] = [];
  #retry: number | undefined;

  push(text: string): Block[] {
    const all = this.#rest + text;
    // A CR may be half of a line's end.
    const end = all.endsWith('\r') ? all.length - 1 : all.length;
    const lines = all.slice(0, end).split(LINE_END);
    this.#rest = `${lines.pop()}${all.slice(end)}`;
    return lines.flatMap((line) => this.#line(line));
  }

  #line(line: string): Block[] {
    if (line === '') return this.#end();
    const [, name = '', value = ''] = /^([^:]*):? ?(.*)$/s.exec(line) ?? [];
    if (name === 'data') this.#data.push(value);
    if (name === 'retry' && /^\d+$/.test(value)) this.#retry = Number(value);
    return [];
  }

  #end(): Block[] {
    const data = this.#data.length > 0 ? this.#data.join('\n') : undefined;
    const retry = this.#retry;
    this.#data = [];
    this.#retry = undefined;
    return data === undefined && retry === undefined ? [] : [{ data, retry }];
  }
}
