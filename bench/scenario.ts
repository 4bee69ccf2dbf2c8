import type { Exactness } from './ledger.ts';
import type { Stage } from './stage.ts';
import type { SubjectName } from './subject.ts';

/** How large a run is: `smoke` shows that everything works, `full` adds the largest sizes. */
export type Size = 'smoke' | 'usual' | 'full';

/** The figures of one case of a scenario in one run; names carry their units. */
export interface Row {
  readonly case: string;
  readonly figures: Readonly<Record<string, number>>;
  readonly exactness: Exactness;
}

/** One kind of work, done by every subject in turn. */
export interface Scenario {
  readonly name: string;
  /** Signalbox, and the peers that can do this work. */
  readonly subjects: readonly SubjectName[];
  /** Whether the peers take part in a smoke run too: in a few scenarios that is enough to know that they work. */
  readonly hasPeersInSmoke?: true;
  /** Configuration of the servers beside what all scenarios have. */
  readonly env?: (size: Size) => Readonly<Record<string, string>>;
  /** How many processors the server has for itself, where there are enough; 1 unless it says otherwise. */
  readonly serverProcessors?: number;
  /** On a smaller machine it is run only when it is named. */
  readonly minProcessors?: number;
  run(stage: Stage, size: Size): Promise<readonly Row[]>;
}

/** For what is brought to come back: Socket.IO has to be told, and it pays for it. Others do it anyway. */
export const RECOVERING = { SOCKETIO_RECOVERY: '1' } as const;

/** The value for a size. */
export const bySize = <T>(size: Size, smoke: T, usual: T, full: T = usual): T =>
  size === 'smoke' ? smoke : size === 'usual' ? usual : full;

/** How long each case is measured, after half of that to warm up. */
export const secondsOf = (size: Size): number => bySize(size, 2, 4);
