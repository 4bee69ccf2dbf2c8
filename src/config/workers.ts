import { availableParallelism } from 'node:os';
import type { LoadedConfig } from './loaded.ts';
import type { Rule, Situation } from './rule.ts';

/**
 * How many processes serve. `auto` is one for each core, and never more than what is divided among them allows:
 * one on the memory broker, which is a process's own, and one for each of `maxTotalConnections`.
 */
export const workerCount = (
  { config, brokerChoice }: Pick<LoadedConfig, 'config' | 'brokerChoice'>,
  cores: number = availableParallelism(),
): number => {
  const { workers, maxTotalConnections } = config;
  if (workers !== 'auto') return workers;
  if (brokerChoice.name === 'memory') return 1;
  return maxTotalConnections === 0 ? cores : Math.min(cores, maxTotalConnections);
};

const conflict = (
  { config, origins }: Situation,
  words: { readonly got: string; readonly expected: string; readonly advice: string },
) => ({
  code: 'conflict' as const,
  key: 'workers',
  source: origins.get('workers') ?? 'default',
  ...words,
  got: `${config.workers} with ${words.got}`,
});

/** What several processes can do together, and what they cannot. */
export const workerRules: readonly Rule[] = [
  {
    about: ['workers', 'broker'],
    check(situation, { problems }) {
      const { workers } = situation.config;
      const { name, reason } = situation.brokerChoice;
      if (name !== 'memory' || workers === 'auto' || workers === 1) return;
      problems.push(
        conflict(situation, {
          got: `the memory broker (${reason})`,
          expected: '1 or auto, because workers meet in Redis alone and could not hear each other',
          advice: 'Configure Redis, for example with REDIS_HOST, or remove it.',
        }),
      );
    },
  },
  {
    about: ['workers', 'maxTotalConnections'],
    check(situation, { problems }) {
      const { workers, maxTotalConnections } = situation.config;
      if (workers === 'auto' || maxTotalConnections === 0 || workers <= maxTotalConnections) return;
      problems.push(
        conflict(situation, {
          got: `maxTotalConnections ${maxTotalConnections}, which is divided among them`,
          expected: 'at least one connection for each',
          advice: 'Raise maxTotalConnections, or have fewer workers.',
        }),
      );
    },
  },
  {
    about: ['workers', 'broker', 'maxTotalConnections'],
    check(situation, { notes }) {
      if (situation.config.workers !== 'auto') return;
      notes.push({ key: 'workers', text: `auto is ${workerCount(situation)} on this machine` });
    },
  },
];
