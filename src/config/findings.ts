import type { Remark } from './loaded.ts';
import type { ConfigProblem } from './problem.ts';

/** A value for a key, before it is checked, and where it came from. */
export interface Given {
  readonly value: unknown;
  readonly origin: string;
}

/** By path. */
export type GivenValues = ReadonlyMap<string, Given>;

/** What one step of reading the configuration has to say. */
export interface Findings {
  readonly problems: ConfigProblem[];
  readonly notes: Remark[];
  readonly warnings: Remark[];
}

export const noFindings = (): Findings => ({ problems: [], notes: [], warnings: [] });
