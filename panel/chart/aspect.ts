/** What a signal shows, and so how grave a state is. Each is told by which lamps are lit, and by its word. */
export type Aspect = 'clear' | 'caution' | 'preliminary' | 'danger' | 'dark';

/** Of the states that lists and counts know. */
const OF_STATE: Readonly<Record<string, Aspect>> = {
  connecting: 'caution',
  replaying: 'preliminary',
  live: 'clear',
  stale: 'danger',
  closing: 'dark',
  closed: 'dark',
  stopped: 'dark',
};

export const aspectOfState = (state: string): Aspect => OF_STATE[state] ?? 'dark';

const GRAVE = ['stale', 'terminating'];
const UNDER_WAY = ['connecting', 'replaying', 'unanswered', 'closing', 'draining', 'starting'];
const OVER = ['closed', 'stopped', 'collected'];

/** Of a leaf of a machine, by the gravest word in its path. */
export function aspectOfPath(path: string): Aspect {
  const words = path.split('.');
  const has = (names: readonly string[]): boolean => words.some((word) => names.includes(word));
  if (has(GRAVE)) return 'danger';
  if (has(OVER)) return 'dark';
  return has(UNDER_WAY) ? 'caution' : 'clear';
}
