// What compressing one event costs and gains, which is done once whoever gets it:
// node --import ./test/source-loader.mjs bench/compression.ts
import { withHeadroom } from '../src/protocol/event-codec.ts';
import { createCompressingFraming } from '../src/transport/compression.ts';
import { digits } from './report.ts';

const SIZES = [250, 1_000, 4_000, 16_000, 64_000, 256_000];
const RUNS = 9;
const BYTES_PER_RUN = 20_000_000;

/** Rows as a chart's data has them: names that recur, numbers that do not. */
function eventOf(bytes: number): string {
  let seed = 1;
  const next = (): number => {
    seed = (seed * 16_807) % 2_147_483_647;
    return seed;
  };
  const rows: string[] = [];
  for (let length = 0; length < bytes; length += (rows.at(-1) as string).length + 1) {
    rows.push(`{"name":"row ${next() % 1_000}","value":${next() / 1_000},"status":"done","at":${next()}}`);
  }
  return `{"id":"1700000000000-0","channel_id":"c","data":[${rows.join(',')}]}`;
}

const framing = createCompressingFraming(0);
const row = (cells: readonly string[]): void => console.log(`| ${cells.join(' | ')} |`);
row(['bytes of text', 'bytes compressed', 'of the plain', 'µs of processor, median', 'lowest', 'highest']);
row(['---', '---', '---', '---', '---', '---']);
for (const size of SIZES) {
  const frame = framing.frame(withHeadroom(framing.headroom, Buffer.from(eventOf(size))));
  const compressed = framing.compress?.(frame) ?? frame;
  const times = Math.ceil(BYTES_PER_RUN / frame.length / 10);
  const us: number[] = [];
  for (let run = 0; run < RUNS; run += 1) {
    const before = process.cpuUsage();
    for (let count = 0; count < times; count += 1) framing.compress?.(frame);
    const { user, system } = process.cpuUsage(before);
    us.push((user + system) / times);
  }
  us.sort((a, b) => a - b);
  const at = (index: number): string => digits(us[index] as number);
  const share = `${Math.round((100 * compressed.length) / frame.length)} %`;
  row([digits(frame.length), digits(compressed.length), share, at((RUNS - 1) / 2), at(0), at(RUNS - 1)]);
}
