import type { Firehose, NativeLog } from '../../src/broker/ports.ts';
import type { Clock } from '../../src/clock.ts';
import type { Random } from '../support/random.ts';

/** How long an answer of the broker may take. */
export const SLOWEST_MS = 100;

/** How long what one instance reads of the firehose is on its way to it, at most: so far it lags. */
export interface Lag {
  slowestReadMs: number;
}

/** Passes at once, or after some time that is shorter than this. */
export async function pause(clock: Clock, random: Random, slowestMs: number): Promise<void> {
  if (slowestMs === 0 || random.chance(0.5)) return;
  await new Promise<void>((resolve) => clock.setTimeout(resolve, random.below(slowestMs)));
}

/** A log whose answers take their time: those to replays any, and what is read of the firehose that of its reader. */
export function slowLog(log: NativeLog, clock: Clock, random: Random, lag: Lag): NativeLog {
  const slowed =
    <Args extends unknown[], Answer>(ask: (...args: Args) => Promise<Answer>, slowestMs = () => SLOWEST_MS) =>
    async (...args: Args): Promise<Answer> => {
      const answer = await ask(...args);
      await pause(clock, random, slowestMs());
      return answer;
    };
  return {
    ids: log.ids,
    async openFirehose(signal) {
      const firehose = await log.openFirehose(signal);
      if (lag.slowestReadMs === 0) return firehose;
      return {
        head: () => firehose.head(),
        read: slowed(
          (...args: Parameters<Firehose['read']>) => firehose.read(...args),
          () => lag.slowestReadMs,
        ),
        readBack: (options) => firehose.readBack(options),
        close: () => firehose.close(),
      };
    },
    append: (channel, payload) => log.append(channel, payload),
    publishEvents: (publications) => log.publishEvents(publications),
    subscribe: (channels, listener) => log.subscribe(channels, listener),
    publish: (channel, payload) => log.publish(channel, payload),
    close: () => log.close(),
    range: slowed((...args: Parameters<NativeLog['range']>) => log.range(...args)),
    lastId: slowed(() => log.lastId()),
    lastIdAfresh: slowed(() => log.lastIdAfresh()),
    snapshot: slowed((channel: string) => log.snapshot(channel)),
  };
}
