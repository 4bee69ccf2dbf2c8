import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import type { Clock } from '../clock.ts';

/** The channel that the first page listens to and publishes on; its name stands in the page as well. */
export const DEMO_CHANNEL = 'demo';
export const DEMO_TOPIC = 'train';

const INTERVAL_MS = 200;
/** A page that was cut off, reloaded or put to sleep shall find that it has missed something. */
const LINGER_MS = 60_000;

export interface DemoPublisherDeps {
  readonly logger: Logger;
  readonly clock: Clock;
  /** Resolves once the broker has the event. */
  publish(channel: string, payload: Buffer): Promise<unknown>;
  /** Whether anybody listens to the demo channel now. */
  isWatched(): boolean;
}

export interface DemoPublisher {
  /** A page was opened: events flow from now on, as long as it is watched and a minute longer. */
  opened(): void;
  /** Ends it for good. */
  close(): void;
}

/**
 * Sends a numbered event five times a second while the first page is, or has just been, open, so that there is
 * something to miss. Numbers are consecutive from 1 within a `run`, which is one life of this process: a page that
 * sees 7 and then 9 of one run has missed 8.
 */
export function createDemoPublisher({ logger, clock, publish, isWatched }: DemoPublisherDeps): DemoPublisher {
  const run = randomUUID().slice(0, 8);
  let number = 1;
  let watchedAt = 0;
  let timer: unknown;
  let closed = false;
  let failing = false;

  const tick = async (): Promise<void> => {
    const now = clock.now();
    if (isWatched()) watchedAt = now;
    if (now - watchedAt > LINGER_MS) {
      timer = undefined;
      return;
    }
    await send();
    if (!closed) schedule(Math.max(0, now + INTERVAL_MS - clock.now()));
  };
  const schedule = (delayMs: number): void => {
    timer = clock.setTimeout(() => void tick(), delayMs);
  };
  /** A number is used up only by an event that the broker has: a failed publish leaves no hole to be taken for a loss. */
  const send = async (): Promise<void> => {
    const event = { channel_id: DEMO_CHANNEL, topic: DEMO_TOPIC, data: { run, n: number } };
    try {
      await publish(DEMO_CHANNEL, Buffer.from(JSON.stringify(event)));
      number += 1;
      failing = false;
    } catch (error) {
      if (!failing) logger.warn({ err: error }, 'demo publisher cannot publish; trying on');
      failing = true;
    }
  };

  return {
    opened() {
      watchedAt = clock.now();
      if (timer === undefined && !closed) schedule(0);
    },
    close() {
      closed = true;
      if (timer !== undefined) clock.clearTimeout(timer);
    },
  };
}
