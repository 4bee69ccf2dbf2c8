import type { Findings } from './findings.ts';
import type { LoadedConfig } from './loaded.ts';

export interface Situation extends Pick<LoadedConfig, 'config' | 'origins' | 'mode' | 'brokerChoice'> {
  /** The program that this runs in says who its clients are. */
  readonly isAuthenticating: boolean;
}

/** Something that one value alone does not show. Skipped when a key it is about has no valid value. */
export interface Rule {
  readonly about: readonly string[];
  check(situation: Situation, findings: Findings): void;
}
