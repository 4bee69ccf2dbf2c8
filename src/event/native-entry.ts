import type { Entry } from './entry.ts';
import { parseStreamId, type StreamId, ZERO_ID } from './stream-id.ts';

/**
 * An entry of a native log, by the names that its fields have there: `c` the channel, `t` the topic, `d` the data,
 * `p` the id of the channel's event before it; `w`, which may be missing, is the traceparent of who published it.
 */
export interface NativeFields {
  readonly channel: Buffer | undefined;
  readonly topic: Buffer | undefined;
  readonly data: Buffer | undefined;
  /**
   * `0-0`: the first event of its channel, as far as the log knew. A channel that was quiet for so long that the
   * log forgot it begins anew.
   */
  readonly previousId: StreamId;
}

const CODE = { c: 99, t: 116, d: 100, p: 112 };

/** What a native entry says. Nothing is copied, and nothing but an id that is none is refused: it is `0-0`. */
export function nativeFieldsOf({ fields }: Entry): NativeFields {
  return {
    channel: valueOf(fields, CODE.c),
    topic: valueOf(fields, CODE.t),
    data: valueOf(fields, CODE.d),
    previousId: previousIdIn(fields),
  };
}

/** The id of the event before this one in its channel: what is between the two is nothing. */
export const previousIdOf = ({ fields }: Entry): StreamId => previousIdIn(fields);

/** The fields of an entry, as the publish script writes them. */
export function nativeFields(
  channel: string,
  topic: string | undefined,
  data: Buffer,
  previousId: StreamId,
  traceparent?: string,
): Buffer[] {
  const named = topic === undefined ? [] : [NAME.t, Buffer.from(topic)];
  const traced = traceparent === undefined ? [] : [NAME.w, Buffer.from(traceparent)];
  return [NAME.c, Buffer.from(channel), ...named, NAME.d, data, NAME.p, Buffer.from(previousId), ...traced];
}

const NAME = {
  c: Buffer.from('c'),
  t: Buffer.from('t'),
  d: Buffer.from('d'),
  p: Buffer.from('p'),
  w: Buffer.from('w'),
};

function previousIdIn(fields: readonly Buffer[]): StreamId {
  const text = valueOf(fields, CODE.p)?.toString('latin1');
  return (text === undefined ? undefined : parseStreamId(text)) ?? ZERO_ID;
}

function valueOf(fields: readonly Buffer[], code: number): Buffer | undefined {
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const name = fields[at] as Buffer;
    if (name.length === 1 && name[0] === code) return fields[at + 1];
  }
  return undefined;
}
