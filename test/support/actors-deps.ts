import type { ActorsDeps } from '../../src/actors/actors.ts';
import { Registry } from '../../src/routing/registry.ts';

type Given = Pick<ActorsDeps, 'clock' | 'metrics' | 'log' | 'protocol' | 'report'>;

/** What actors are made of on a firehose where a test says nothing else: limits that nobody meets, and no chance. */
export function actorsDeps(given: Given): ActorsDeps {
  let sockets = 0;
  return {
    ...given,
    registry: new Registry({ clock: given.clock }),
    feed: { kind: 'firehose' },
    framing: { headroom: 0, frame: (text) => text },
    random: () => 0.5,
    newId: () => `s${sockets++}`,
    later: (run) => void setImmediate(run),
    limits: {
      window: { maxEvents: 1_000, maxBytes: 1_000_000, maxAgeMs: 3_600_000 },
      maxSocketBufferBytes: 10_000,
      maxTotalBufferBytes: 1_000_000,
      replays: 4,
      replaySlackMs: 0,
    },
    reads: { count: 100, blockMs: 5_000, pauseMs: 0 },
    times: {
      handshakeTimeoutMs: 10_000,
      pingIntervalMs: 20_000,
      responseTimeoutMs: 60_000,
      slowConsumerTimeoutMs: 30_000,
      closeTimeoutMs: 2_000,
    },
    gcIntervalMs: 3_600_000,
  };
}
