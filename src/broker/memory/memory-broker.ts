import { BrokerError } from '../broker-error.ts';
import type { Broker } from '../ports.ts';
import type { Clock } from '../../clock.ts';
import { MemoryControl } from './control.ts';
import { MemoryEventLog } from './event-log.ts';
import type { HistoryLimits } from './history.ts';
import { MemoryNativeLog } from './native-log.ts';
import { MemoryOnce } from './once.ts';
import { MemoryRevocations } from './revocations.ts';

export interface MemoryBrokerOptions {
  readonly clock: Clock;
  /** Of each of the two logs. */
  readonly history: HistoryLimits;
  /** For how long the key of a publication is remembered. Default 120. */
  readonly keyTtlSeconds?: number;
}

/** The embedded broker, with what a test does to it that the world does to a real one. */
export interface MemoryBroker extends Broker {
  readonly name: 'memory';
  readonly native: MemoryNativeLog;
  /** On: everything rejects, open firehoses and subscriptions are lost for good. Off: new ones can be opened. */
  outage(on: boolean): void;
  /** The epoch changes, ids begin anew, and everything kept is gone. Connections stay, as after FLUSHALL. */
  loseData(): void;
  /** Of `log`: removes the oldest entries of a channel's stream, or of the firehose (undefined), until `keep` are left. */
  trim(channel: string | undefined, keep: number): void;
}

/**
 * Makes the embedded broker: events in this process's memory, for one process.
 *
 * Deterministic under an injected clock: it owns no timer but those of blocking reads, and everything else it
 * promises is settled in microtasks. An append is kept, and the reads that wait for it are answered, before
 * `append` returns its promise.
 */
export function createMemoryBroker(options: MemoryBrokerOptions): MemoryBroker {
  const { clock, history, keyTtlSeconds = 120 } = options;
  let away: BrokerError | undefined;
  const assertUp = () => {
    if (away !== undefined) throw away;
  };
  const log = new MemoryEventLog(clock, history, assertUp);
  const native = new MemoryNativeLog({ clock, limits: history, keyTtlSeconds, assertUp });
  const control = new MemoryControl(clock, assertUp);
  const once = new MemoryOnce(clock, assertUp);
  const revocations = new MemoryRevocations(clock, assertUp);

  return {
    name: 'memory',
    log,
    native,
    control,
    once,
    revocations,
    async close() {
      away = new BrokerError('closed', 'the broker was closed');
      await Promise.all([log.close(), native.close(), control.close(), once.close(), revocations.close()]);
    },
    outage(on) {
      if (away?.code === 'closed') return;
      away = on ? new BrokerError('unavailable', 'the memory broker is in an outage') : undefined;
      if (!on) return;
      log.lose();
      native.lose();
    },
    loseData() {
      log.loseData();
      native.loseData();
      control.loseData();
      once.loseData();
      revocations.loseData();
    },
    trim: (channel, keep) => log.trim(channel, keep),
  };
}
