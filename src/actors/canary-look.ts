import type { Look, Standing } from '../../machines/canary.machine.ts';
import type { EventLog } from '../broker/ports.ts';
import { type Clock, within } from '../clock.ts';
import { compareIds, type StreamId } from '../event/stream-id.ts';
import type { FirehoseFeed } from '../feed/firehose-feed.ts';
import type { RealtimeFeed } from '../feed/realtime-feed.ts';
import type { FanOut } from '../routing/fan-out.ts';

export interface LookDeps {
  readonly fanOut: Pick<FanOut, 'position' | 'epoch' | 'routed'>;
  readonly clock: Clock;
  readonly toleranceMs: number;
  /** Whether the reader is where it reads; when it is not, it says so itself. */
  isReading(): boolean;
  /** How long what was published took to come. */
  onRoundTrip(ms: number): void;
  /** The broker will not have this process publish, which it tries no more. */
  onRefused(error: unknown): void;
}

export interface LogLookDeps extends LookDeps {
  readonly feed: Pick<FirehoseFeed, 'answers'>;
  readonly log: Pick<EventLog, 'lastIdAfresh'>;
  readonly blockMs: number;
  /** Publishes what nobody hears; undefined: may not be done. */
  readonly publish: (() => Promise<StreamId>) | undefined;
  /** Whether there is somebody here who would miss something. */
  isHeard(): boolean;
}

/** How much longer than it may wait a read can take before it is strange. */
const GRACE_MS = 2_000;

/**
 * Looks at a reader of a log: where it is, and where the log ends for whoever comes now. Where nothing was published
 * since the last look, something is, if it may be: an end that does not move proves nothing.
 */
export function createLogLook(deps: LogLookDeps): () => Promise<Look> {
  const { fanOut, feed, log, clock } = deps;
  let publish = deps.publish;
  let last: Look | undefined;

  async function publishCanary(): Promise<void> {
    const startMs = clock.now();
    const id = await orRefusal(publish?.(), (error) => {
      publish = undefined;
      deps.onRefused(error);
    });
    if (id === undefined) return;
    const isRouted = fanOut.routed(id).then(() => true as const);
    if (await within(clock, deps.toleranceMs, isRouted)) deps.onRoundTrip(clock.now() - startMs);
  }

  async function look(): Promise<Look> {
    if (!deps.isReading()) return { standing: 'away', progress: '', position: fanOut.position, end: '' };
    const isQuiet = last?.standing === 'abreast' && last.position === fanOut.position;
    if (isQuiet && deps.isHeard()) await publishCanary();
    const before = fanOut.position;
    const end = await log.lastIdAfresh();
    const position = fanOut.position;
    const { count, silentMs } = feed.answers;
    const standing = standingOf({ before, position, end, isSilent: silentMs > deps.blockMs + GRACE_MS });
    // Where the log loses its data a reader may be at the same position again, in another life of it.
    const progress = standing === 'silent' ? `${count}` : `${fanOut.epoch} ${position}`;
    // It may have been lost meanwhile.
    return { standing: deps.isReading() ? standing : 'away', progress, position, end };
  }

  return async () => {
    last = await look();
    return last;
  };
}

function standingOf(found: {
  readonly before: StreamId;
  readonly position: StreamId;
  readonly end: StreamId;
  readonly isSilent: boolean;
}): Standing {
  const { before, position, end, isSilent } = found;
  if (compareIds(position, end) < 0) return 'behind';
  // What was routed while the broker was asked may be later than its answer.
  if (compareIds(before, end) > 0) return 'beyond';
  return isSilent ? 'silent' : 'abreast';
}

export interface EchoLookDeps extends LookDeps {
  readonly feed: Pick<RealtimeFeed, 'echo' | 'arrived'>;
  readonly log: Pick<EventLog, 'publish'>;
  /** A channel of this process alone. */
  readonly channel: string;
}

const NOTHING = Buffer.alloc(0);

/**
 * Looks at a reader of plain Pub/Sub, which has no end to compare with: publishes to a channel of its own, and waits
 * until that comes over the reader's connection.
 */
export function createEchoLook(deps: EchoLookDeps): () => Promise<Look> {
  const { fanOut, feed, log, clock, channel } = deps;
  let isAllowed = true;

  async function isHeard(): Promise<boolean> {
    const startMs = clock.now();
    const echo = feed.echo(channel, (to) => log.publish(to, NOTHING)).then(() => true as const);
    const heard = within(clock, deps.toleranceMs, echo).then((inTime) => inTime ?? false);
    const isEchoed = await orRefusal(heard, (error) => {
      isAllowed = false;
      deps.onRefused(error);
    });
    if (isEchoed) deps.onRoundTrip(clock.now() - startMs);
    return isEchoed ?? true;
  }

  return async () => {
    const before = feed.arrived;
    if (!deps.isReading()) return { standing: 'away', progress: '', position: fanOut.position, end: '' };
    const isWell = !isAllowed || (await isHeard()) || feed.arrived !== before;
    const standing = deps.isReading() ? (isWell ? 'abreast' : 'unheard') : 'away';
    return { standing, progress: `${feed.arrived}`, position: fanOut.position, end: '' };
  };
}

/** As Redis says that a user may not, outside scripts and inside. */
const FORBIDDEN = /NOPERM|no permissions|can't run this command/;

/** What the user may not do is told, and answered with undefined; anything else rejects. */
async function orRefusal<T>(
  asked: Promise<T> | undefined,
  onRefused: (error: unknown) => void,
): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (!(error instanceof Error) || !FORBIDDEN.test(error.message)) throw error;
    onRefused(error);
    return undefined;
  }
}
