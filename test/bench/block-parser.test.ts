import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { BlockParser } from '../../bench/block-parser.ts';
import { sseBlock } from '../../src/protocol/native/sse-text.ts';

const read = (chunks: readonly Buffer[]): string[] => {
  const texts: string[] = [];
  const parser = new BlockParser((_, bytes, from, to) => void texts.push(bytes.toString('utf8', from, to)));
  for (const chunk of chunks) {
    parser.push(chunk);
    // The caller's buffer is the caller's again.
    chunk.fill(0xff);
  }
  return texts;
};

const cut = (bytes: Buffer, at: readonly number[]): Buffer[] => {
  const edges = [0, ...at.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return edges.slice(1).map((end, index) => Buffer.from(bytes.subarray(edges[index], end)));
};

describe('block parser', () => {
  test('finds the same data wherever the stream is cut', () => {
    const data = fc.array(fc.json(), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(data, fc.array(fc.nat(), { maxLength: 12 }), (wanted, places) => {
        const blocks = wanted.map((one, n) => sseBlock({ id: `e.1-${n}`, event: 't', data: one }));
        expect(read(cut(Buffer.from(blocks.join('')), places))).toEqual(wanted);
      }),
    );
  });

  test('finds nothing in what has no data', () => {
    const text = sseBlock({ retry: 2000 }) + sseBlock({ id: 'e.1-0' }) + ':\n\n';
    expect(read([Buffer.from(text)])).toEqual([]);
  });
});
