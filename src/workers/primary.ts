import type { Clock } from '../clock.ts';
import { EXIT } from '../config/exit-code.ts';
import type { LoadedConfig } from '../config/loaded.ts';
import type { Log, Supervised } from '../supervision.ts';
import { eachGauge, mergeFigures } from '../telemetry/figures.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { Gathering } from './gathering.ts';
import { shareOf } from './limits.ts';
import { REPORT_INTERVAL_MS } from './messages.ts';
import { type End, type Fork, Slot, type SlotOwner } from './slot.ts';

export interface PrimaryDeps {
  readonly count: number;
  readonly loaded: LoadedConfig;
  readonly fork: Fork;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly telemetry: Pick<Telemetry, 'metrics' | 'close'>;
}

/** A server of several processes. It starts when each of them has bound the port, and ends when all have ended. */
export interface Primary extends Supervised {
  /** Ends at once every worker that is left. */
  kill(): void;
}

/** The longest orderly end of a worker is twice `drainMs` and 6 s; after that it will not end by itself. */
const STOP_GRACE_MS = 7_000;

/** Told to end, by the terminal for example, before it could listen to signals: nothing went wrong. */
const isOrderly = ({ code, signal }: End): boolean =>
  code === EXIT.ok || signal === 'SIGTERM' || signal === 'SIGINT';

/**
 * Keeps `count` workers running, each a whole server, and says for all of them whether they are ready and what their
 * gauges come to. It serves nobody itself.
 *
 * The first start is all or nothing: what keeps one of them from starting, a port in use for example, is the
 * server's failure. Later a worker that ends is replaced, whatever the reason.
 */
export function createPrimary(deps: PrimaryDeps): Primary {
  const { count, loaded, log, telemetry, clock } = deps;
  const { metrics } = telemetry;
  const bound = new Set<Slot>();
  let phase: 'starting' | 'serving' | 'stopping' = 'starting';
  let exitCode: number = EXIT.ok;
  let wereAllReady = false;
  let interval: unknown;
  let deadline: unknown;
  let onStarted: (address: { host: string; port: number }) => void = () => {};
  let onFailed: (error: Error) => void = () => {};
  let onEnded: (exitCode: number) => void = () => {};
  const ended = new Promise<number>((resolve) => {
    onEnded = resolve;
  });

  const owner: SlotOwner = {
    bound(slot, address) {
      if (phase === 'serving') log.info({ worker: slot.worker, childPid: slot.pid }, 'A worker was replaced');
      bound.add(slot);
      if (phase !== 'starting' || bound.size < count) return;
      phase = 'serving';
      onStarted(address);
      decideReadiness();
    },
    startFailed(slot, error) {
      if (phase === 'starting') onFailed(error);
      else log.error({ worker: slot.worker, err: error }, 'A worker cannot start');
    },
    reported: () => decideReadiness(),
    asked: (slot, id) => gathering.asked(slot, id),
    given: (slot, id, share) => gathering.given(slot, id, share),
    ended(slot, end) {
      gathering.ended(slot, end.figures);
      if (phase === 'starting') {
        onFailed(new Error(`worker ${slot.worker} ended first, with ${end.signal ?? end.code}`));
      } else if (phase === 'serving') replace(slot, end);
      else {
        if (!isOrderly(end)) exitCode = EXIT.failed;
        finishWhenEmpty();
      }
    },
  };
  const slots = Array.from(
    { length: count },
    (_, index) => new Slot({ ...deps, worker: index + 1, loaded: shareOf(loaded, index, count), owner }),
  );

  const gathering = new Gathering({ workers: slots, clock, metrics });

  function replace(
    slot: Slot,
    { pid: childPid, code, signal }: End & { readonly pid: number | undefined },
  ): void {
    metrics.count('signalbox.workers_lost');
    const delayMs = Math.round(slot.restart());
    log.error(
      { worker: slot.worker, childPid, code, signal, delayMs },
      'A worker ended unexpectedly and is replaced',
    );
    decideReadiness();
  }

  function tellReadiness(): void {
    wereAllReady = areAllReady();
    for (const slot of slots) slot.send({ type: 'readiness.decided', areAllReady: wereAllReady });
  }

  function areAllReady(): boolean {
    return phase === 'serving' && slots.every(({ isReady }) => isReady);
  }

  function decideReadiness(): void {
    if (areAllReady() !== wereAllReady) tellReadiness();
  }

  function onInterval(): void {
    for (const slot of slots) {
      if (!slot.isWedged()) continue;
      log.error(
        { worker: slot.worker, childPid: slot.pid },
        'A worker has been stuck for too long and is killed',
      );
      slot.kill();
    }
    tellReadiness();
    const all = mergeFigures(slots.flatMap(({ figures }) => figures ?? []));
    eachGauge(all, (name, value, labels) => metrics.gauge(name, value, labels));
    interval = clock.setTimeout(onInterval, REPORT_INTERVAL_MS);
  }

  function finishWhenEmpty(): void {
    if (!slots.every(({ isEmpty }) => isEmpty)) return;
    clock.clearTimeout(interval);
    clock.clearTimeout(deadline);
    gathering.close();
    void telemetry.close().then(() => onEnded(exitCode));
  }

  function kill(): void {
    for (const slot of slots) slot.kill();
  }

  return {
    ended,
    kill,
    start: () =>
      new Promise((resolve, reject) => {
        onStarted = resolve;
        onFailed = reject;
        interval = clock.setTimeout(onInterval, REPORT_INTERVAL_MS);
        for (const slot of slots) slot.start();
      }),
    async stop() {
      phase = 'stopping';
      for (const slot of slots) slot.drain();
      deadline = clock.setTimeout(
        () => {
          log.error({}, 'A worker did not end in time and is killed');
          kill();
        },
        2 * loaded.config.drainMs + STOP_GRACE_MS,
      );
      finishWhenEmpty();
      await ended;
    },
  };
}
