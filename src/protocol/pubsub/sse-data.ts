const LF = 0x0a;
const CR = 0x0d;
const FIELD = Buffer.from('data: ');

/**
 * A message as the data of a Server-Sent Event, behind `headroom` free bytes: each of its lines, which end at CRLF, CR
 * or LF as EventSource reads them, is a `data: ` line, and a blank line ends it. `foobar` is `data: foobar\n\n`; what
 * ends with a line end has an empty last line. Whatever the bytes are, no line of them is another field.
 */
export function sseData(message: Buffer, headroom = 0): Buffer {
  const ends = lineEnds(message);
  const out = Buffer.allocUnsafe(headroom + (ends.lines + 1) * FIELD.length + message.length + ends.growth);
  let at = headroom;
  for (let from = 0; from <= message.length; ) {
    const to = lineEnd(message, from);
    at += FIELD.copy(out, at);
    at += message.copy(out, at, from, to);
    out[at++] = LF;
    from = to + (message[to] === CR && message[to + 1] === LF ? 2 : 1);
  }
  out[at] = LF;
  return out;
}

/** How many lines end before the last one, and how many bytes longer than the message the text without fields is. */
function lineEnds(message: Buffer): { readonly lines: number; readonly growth: number } {
  let lines = 0;
  let pairs = 0;
  for (let at = 0; at < message.length; at += 1) {
    const byte = message[at];
    if (byte !== LF && byte !== CR) continue;
    lines += 1;
    if (byte === CR && message[at + 1] === LF) {
      pairs += 1;
      at += 1;
    }
  }
  // The end of the last line, and the blank one.
  return { lines, growth: 2 - pairs };
}

function lineEnd(message: Buffer, from: number): number {
  let at = from;
  while (at < message.length && message[at] !== LF && message[at] !== CR) at += 1;
  return at;
}
