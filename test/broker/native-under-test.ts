import type { NativeLog, Outcome } from '../../src/broker/ports.ts';
import type { StreamId } from '../../src/event/stream-id.ts';
import type { LogUnderTest } from './contract.ts';

/** A native log as two instances of an installation see it, and what the world does to it. */
export interface NativeLogUnderTest extends LogUnderTest {
  readonly log: NativeLog;
  readonly other: NativeLog;
}

/** The id of a publication that went well. */
export function idOf(outcome: Outcome | undefined): StreamId {
  if (outcome === undefined) throw new Error('there is no outcome');
  if ('error' in outcome) throw outcome.error;
  return outcome.id;
}
