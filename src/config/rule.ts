import type { Findings } from './findings.ts';
import type { LoadedConfig } from './loaded.ts';

export type Situation = Pick<LoadedConfig, 'config' | 'origins' | 'mode' | 'brokerChoice'>;

/** Something that one value alone does not show. Skipped when a key it is about has no valid value. */
export interface Rule {
  readonly about: readonly string[];
  check(situation: Situation, findings: Findings): void;
}
