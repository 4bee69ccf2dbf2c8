import { parseStreamId, type StreamId } from '../../event/stream-id.ts';
import { queryParameter } from '../request-target.ts';

/** What a client says it has had. */
export interface LastId {
  /** Undefined: it said nothing that can be used, and is simply live. */
  readonly id: StreamId | undefined;
  /** True when it said something that is no stream id, which is counted. */
  readonly malformed: boolean;
}

/** Reads `?last_id=` of a request target; an empty one is as good as none. */
export function readLastId(target: string): LastId {
  const text = queryParameter(target, 'last_id') ?? '';
  const id = parseStreamId(text);
  return { id, malformed: id === undefined && text !== '' };
}
